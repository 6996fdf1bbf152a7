import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { Command } from 'commander';
import { run } from '../../cluster/commands.ts';
import { repository } from '../../cluster/folders.ts';
import { installPrerequisites } from '../../cluster/index.ts';
import { startRegistry } from '../../support/registry.ts';
import { startWebServer, webPath } from '../../support/web-server.ts';
import { BenchImages, smallDisk, wholeDisk } from '../images.ts';
import { measure, type Measurement } from './measure.ts';
import { pushDisk } from './registry.ts';
import { rows, type Row } from './rows.ts';
import { report, type Result } from './table.ts';
import { createVolume, type Volume } from './volume.ts';

interface Options {
  rows?: string[];
  runs: number;
  small?: true;
}

const log = (line: string) => console.error(line);

/** Imports every kind of image, and the same with the usual tools, in turn. */
export async function importing(args: string[]): Promise<number> {
  const names = rows.map(({ name }) => name);
  const command = new Command('npm run bench -- import')
    .option('--rows <name...>', `which to measure, of ${names.join(', ')}`)
    .option('--runs <count>', 'of each, and of its reference', Number, 3)
    .option('--small', 'a disk of 1 GiB with 150 MiB of data, to try it out')
    .parse(args, { from: 'user' });
  const options = command.opts<Options>();
  const unknown = options.rows?.filter((name) => !names.includes(name)) ?? [];
  if (unknown.length > 0) command.error(`there is no row ${unknown.join(', ')}; there are ${names.join(', ')}`);
  const chosen = rows.filter(({ name }) => options.rows?.includes(name) ?? true);
  await installPrerequisites(log);
  await run(execPath, ['build.ts'], { cwd: repository });
  const results = await withLaboratory(options, async (laboratory) => {
    const done: Result[] = [];
    for (const row of chosen) done.push(await laboratory.measureRow(row, options.runs));
    return done;
  });
  console.log(report(results));
  return 0;
}

interface Laboratory {
  measureRow(row: Row, runs: number): Promise<Result>;
}

async function withLaboratory<T>({ small }: Options, work: (laboratory: Laboratory) => Promise<T>): Promise<T> {
  const images = new BenchImages(small ? smallDisk : wholeDisk, log);
  const address = '127.0.0.1';
  await images.path('disk.img');
  const state = await mkdtemp(join(process.env.DISKPRESS_BENCH_FOLDER ?? tmpdir(), 'diskpress-bench-'));
  const web = await startWebServer({ address, state, root: images.folder });
  const registry = await startRegistry({ address, state });
  const volume = await createVolume(state);
  try {
    return await work({
      measureRow: async (row, runs) => {
        const file = await images.path(row.image);
        const pushed = row.registry && (await pushDisk(registry, images, row.image));
        const url = pushed?.url ?? `${web.url}${webPath.plain}/${row.image}`;
        return measureRow({ row, runs, url, file, layer: pushed?.layer ?? '', images, volume });
      },
    });
  } finally {
    await volume.remove();
    await web.stop();
    await registry.stop();
    await rm(state, { recursive: true });
  }
}

interface RowOptions {
  row: Row;
  runs: number;
  url: string;
  /** The image, as it is on this machine. */
  file: string;
  layer: string;
  images: BenchImages;
  volume: Volume;
}

async function measureRow({ row, runs, url, file, layer, images, volume }: RowOptions): Promise<Result> {
  const target = join(volume.folder, 'disk.img');
  const scratch = join(volume.folder, 'scratch');
  const data = await images.data();
  const env = { url, scratch, target, file, layer, virtual_size: images.dimensions.virtualSize.toString() };
  const bash = (script: string) => measure(volume, 'bash', ['-euo', 'pipefail', '-c', script], env);
  const insecure = row.registry ? ['--insecure'] : [];
  const main = join(repository, 'dist/main.js');
  const ours: Measurement[] = [];
  const reference: Measurement[] = [];
  const once = async (measured: Promise<Measurement>, into: Measurement[]) => {
    into.push(await measured);
    if (into.length === 1)
      await run('qemu-img', ['compare', '-q', '-f', 'raw', '-F', 'raw', target, await images.path('disk.img')]);
    await rm(target);
    await rm(scratch, { recursive: true, force: true });
  };
  for (let round = 1; round <= runs; round += 1) {
    await once(measure(volume, execPath, [main, 'import', ...insecure, url, target]), ours);
    await mkdir(scratch);
    await once(bash(row.reference), reference);
    const seconds = [ours, reference].map((measured) => measured.at(-1)?.seconds.toFixed(2));
    log(`${row.name}, round ${round} of ${runs}: ${seconds[0]} s, reference ${seconds[1]} s`);
  }
  const network = row.registry
    ? await bash(
        'curl --silent --fail -o /dev/null "$(sed "s#docker://#http://#; s#/bench/#/v2/bench/#; s#:latest#/blobs/sha256:$layer#" <<<"$url")"',
      )
    : await bash('curl --silent --fail -o /dev/null "$url"');
  const decoding = row.decoding && (await bash(`cat "$file" >/dev/null; ${row.decoding}`));
  const disk = await bash(
    `dd if=/dev/zero of="$target" bs=1M count=${Math.ceil(data / 2 ** 20)} conv=fsync status=none`,
  );
  await rm(target);
  return { row, data, ours, reference, limits: { network, decoding: decoding || undefined, disk } };
}
