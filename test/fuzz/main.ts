import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath, exit, stdout } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { serialize } from 'node:v8';
import { Option } from 'commander';
import { count, scriptCommand, wholeNumberFrom } from '../support/command-line.ts';
import { type Format, formats, makeSeedImages } from './seed-images.ts';

/**
 * Lets damaged images, and what else comes from outside, loose on every parser. Ends with 1, and with how to repeat it,
 * where one crashed, hung, grew, took more time than its input is worth, or reached outside of the image or the disk.
 */
const options = scriptCommand('npm run fuzz --', 'Damages images and what else comes from outside, and has it parsed.')
  .addOption(new Option('--runs <count>', 'how many are damaged').argParser(count).default(100_000))
  .addOption(
    new Option('--seed <seed>', 'decides how; the same again for the same').default(`${Date.now()}`, 'the time'),
  )
  .addOption(new Option('--format <name>', 'only those of a format').choices(formats))
  .addOption(new Option('--from <run>', 'the first run').argParser(wholeNumberFrom(0)).default(0))
  .parse()
  .opts<{ runs: number; seed: string; format?: Format; from: number }>();
const { seed, format, from: first } = options;
const end = first + options.runs;

/** How long one image may take, in seconds. */
const DEADLINE = 20;

interface Worker {
  process: ChildProcess;
  placeFile: string;
  run: number;
  since: number;
}

const folder = await mkdtemp(join(tmpdir(), 'diskpress-fuzz-'));
process.on('exit', () => workers.forEach((worker) => worker.process.kill('SIGKILL')));
const workers: Worker[] = [];
let failed: boolean;
try {
  const images = (await makeSeedImages()).filter((image) => format === undefined || image.format === format);
  const imagesFile = join(folder, 'images');
  await writeFile(imagesFile, serialize(images));
  console.log(`${images.length} seed images, seed ${seed}, runs ${first} to ${end - 1}`);
  const started = performance.now();
  const processes = Math.min(availableParallelism(), end - first);
  for (let index = 0; index < processes; index += 1) {
    const placeFile = join(folder, `place-${index}`);
    await writeFile(placeFile, '');
    const counts = [first + index, end, processes].map(String);
    const script = join(import.meta.dirname, 'worker.ts');
    const child = spawn(execPath, [script, imagesFile, placeFile, seed, ...counts], { stdio: ['ignore', 2, 2] });
    workers.push({ process: child, placeFile, run: first + index, since: performance.now() });
  }
  const outcomes = await Promise.all(workers.map(watch));
  failed = outcomes.includes(false);
  const seconds = (performance.now() - started) / 1000;
  if (!failed)
    console.log(
      `${end - first} runs in ${seconds.toFixed(1)} s, ${Math.round((end - first) / seconds)} a second: nothing found`,
    );
} finally {
  await rm(folder, { recursive: true, force: true });
}
exit(failed ? 1 : 0);

/** Waits for a worker's end, or ends it where it is stuck; false where it found something. */
async function watch(worker: Worker): Promise<boolean> {
  const ended = once(worker.process, 'exit') as Promise<[number | null, string | null]>;
  for (;;) {
    const outcome = await Promise.race([ended, sleep(500)]);
    const run = Number.parseInt(readFileSync(worker.placeFile, 'utf8'), 10);
    if (run !== worker.run) Object.assign(worker, { run, since: performance.now() });
    if (stdout.isTTY) stdout.write(`\r${Math.max(...workers.map((each) => each.run || 0))}  `);
    if (outcome !== undefined) {
      const [status, signal] = outcome;
      if (status === 0) return true;
      return found(worker, signal === null ? 'failed' : `ended with ${signal}`);
    }
    if (performance.now() - worker.since > DEADLINE * 1000) {
      worker.process.kill('SIGKILL');
      return found(worker, `took more than ${DEADLINE} s`);
    }
  }
}

function found({ run }: Worker, what: string): false {
  const only = format === undefined ? '' : ` --format ${format}`;
  console.error(`run ${run} ${what}; again: npm run fuzz -- --seed ${seed} --from ${run} --runs 1${only}`);
  return false;
}
