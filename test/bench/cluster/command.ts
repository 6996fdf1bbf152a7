import { dataVolumes } from '../../../src/api/data-volume.ts';
import { keyToString } from '../../../src/kube/key.ts';
import { type Environment, prepareEnvironment } from '../../support/environment.ts';
import { createNamespace, removeNamespace } from '../../support/namespaces.ts';
import { SecondStorage } from '../../support/second-storage.ts';
import { againstOption, benchCommand, roundsOption, withoutAgainst } from '../command-line.ts';
import { dropCaches } from '../drop-caches.ts';
import { callsBetween, callsIn } from '../metric-samples.ts';
import { clusterAgainst } from './against.ts';
import { quietMetrics } from './controller.ts';
import { changeHundredth, type Disk, make, makeScattered, referenceSeconds } from './disks.ts';
import { classOf, type CloneRow, disks, rows, TOLD_CLASS } from './rows.ts';
import { Timeline } from './timeline.ts';

const log = (line: string): void => console.error(line);

interface Options {
  readonly rows?: string[];
  readonly rounds: number;
  readonly calls: boolean;
  readonly timeline: boolean;
  readonly against?: string;
}

/** Where clones are made, and where what they are made of is. */
interface Namespaces {
  readonly own: string;
  readonly other: string;
}

export interface Result {
  readonly row: CloneRow;
  readonly seconds: number;
  /** Of the usual tool, where it is measured. */
  readonly reference: number | undefined;
  /** The controllers' API calls and milliseconds of processor time for each clone. */
  readonly calls: number;
  readonly processor: number;
}

/**
 * Measures clones on the test cluster, or on that of $KUBECONFIG, from creation to success.
 *
 * @returns the exit code: 0, or 1 where a row took longer than it may
 */
export async function cluster(args: string[]): Promise<number> {
  const names = rows.map(({ name }) => name).join('; ');
  const command = benchCommand('cluster', `Makes clones of each kind: ${names}.`)
    .option('--rows <text...>', 'those whose names have one of these in them; otherwise all')
    .addOption(withoutAgainst('--calls', 'lists the calls that the controllers make'))
    .addOption(withoutAgainst('--timeline', 'tells when what happens, of each clone'))
    .addOption(roundsOption(3))
    .addOption(againstOption())
    .parse(args, { from: 'user' });
  const { rows: texts = [''], rounds, calls, timeline, against } = command.opts<Options>();
  const unknown = texts.filter((text) => !rows.some(({ name }) => name.includes(text)));
  if (unknown.length > 0)
    command.error(`there is no row with "${unknown.join('", "')}" in its name; there are ${names}`);
  const chosen = rows.filter(({ name }) => texts.some((text) => name.includes(text)));
  if (against !== undefined) {
    console.log(await clusterAgainst(against, { texts, rounds, measure: () => measureRows(chosen, 1) }));
    return 0;
  }
  const results = await measureRows(chosen, rounds, { calls, timeline });
  return results.some(({ row, seconds, reference }) => seconds > row.aim(reference ?? NaN)) ? 1 : 0;
}

/** What is printed of each clone besides. */
interface Telling {
  /** The controllers' API calls by kind. */
  readonly calls?: boolean;
  /** When its objects came into which state. */
  readonly timeline?: boolean;
}

/** Measures rows, and prints each as soon as it is measured. */
async function measureRows(chosen: readonly CloneRow[], rounds: number, telling: Telling = {}): Promise<Result[]> {
  const environment = await prepareEnvironment(log);
  const namespaces = {
    own: await createNamespace(environment.client, { prefix: 'bench' }),
    other: await createNamespace(environment.client, { prefix: 'bench-golden' }),
  };
  const isTold = chosen.some(({ role }) => role === 'told') && environment.classes.local !== undefined;
  const told = isTold ? await SecondStorage.start(environment, 'bench', { tellsBlocks: true }) : undefined;
  await told?.addClass(TOLD_CLASS, { cloneStrategy: 'copy' });
  const results: Result[] = [];
  try {
    console.log('| clone | seconds | aim | usual tool, s | API calls each | controller CPU each, ms |');
    console.log('| --- | --- | --- | --- | --- | --- |');
    for (const row of chosen) {
      if (classOf(row, environment.classes) === undefined) continue;
      const result = await measureRow(environment, namespaces, row, rounds, telling);
      console.log(describe(result));
      results.push(result);
    }
    return results;
  } finally {
    await Promise.all(Object.values(namespaces).map((name) => removeNamespace(environment.client, name)));
    await told?.stop();
  }
}

async function measureRow(
  environment: Environment,
  { own, other }: Namespaces,
  row: CloneRow,
  rounds: number,
  telling: Telling,
): Promise<Result> {
  const { size, mebibytes, data } = disks[row.source];
  const { volumeMode, count = 1 } = row;
  const storageClassName = classOf(row, environment.classes);
  const claim = { storageClassName, volumeMode, size };
  const annotations = row.repeated && { 'cdi.kubevirt.io/storage.clone.incremental': 'true' };
  const key = { namespace: row.otherNamespace ? other : own, name: 'golden' };
  const golden: Disk = { key, claim: { ...claim, annotations } };
  await makeScattered(environment, golden, mebibytes, data);
  const earlier: Disk[] = row.repeated ? [{ key: { namespace: own, name: 'earlier' }, claim }] : [];
  for (const clone of earlier) await make(environment, clone, { pvc: golden.key });
  const clones = Array.from({ length: count }, (_, index): Disk => ({
    key: { namespace: own, name: `clone-${index}` },
    claim: { ...claim, ...(row.grows && { size: '400Mi' }) },
  }));
  const results: Result[] = [];
  for (let round = 0; round < rounds; round += 1) {
    if (row.repeated) await changeHundredth(environment, golden, mebibytes);
    if (row.source === 'large') await dropCaches();
    const reference = row.source === 'large' && !row.repeated ? await referenceSeconds(environment, golden) : undefined;
    const before = await quietMetrics(environment);
    if (row.source === 'large') await dropCaches();
    const timeline = telling.timeline ? new Timeline(environment.client, [own, other]) : undefined;
    const began = performance.now();
    await Promise.all(clones.map((clone) => make(environment, clone, { pvc: golden.key })));
    const seconds = (performance.now() - began) / 1000;
    if (timeline) console.error((await timeline.stop()).join('\n'));
    const after = await quietMetrics(environment);
    if (telling.calls)
      console.error(
        callsBetween(before, after, count)
          .map(([name, calls]) => `  ${calls} ${name}`)
          .join('\n'),
      );
    results.push({
      row,
      seconds,
      reference,
      calls: (callsIn(after) - callsIn(before)) / count,
      processor: ((after.sum('process_cpu_seconds_total') - before.sum('process_cpu_seconds_total')) * 1000) / count,
    });
    await remove(environment, clones);
  }
  await remove(environment, [...earlier, golden]);
  return middle(results);
}

async function remove({ kubectl, client }: Environment, gone: readonly Disk[]): Promise<void> {
  await Promise.all(gone.map(({ key }) => client.delete(dataVolumes, key)));
  for (const { key } of gone) {
    const [namespace = '', name = ''] = keyToString(key).split('/');
    await kubectl.run('wait', '--for=delete', '-n', namespace, `pvc/${name}`, '--timeout=120s');
  }
}

function middle(results: Result[]): Result {
  const sorted = results.toSorted((a, b) => a.seconds - b.seconds);
  const found = sorted[Math.floor((sorted.length - 1) / 2)];
  if (!found) throw new Error('nothing was measured');
  return found;
}

function describe({ row, seconds, reference, calls, processor }: Result): string {
  const cells = [
    row.name,
    seconds.toFixed(1),
    row.aim(reference ?? NaN).toFixed(1),
    reference?.toFixed(1) ?? '',
    calls.toFixed(0),
    // Of a single one it is lost in what the controllers use while nothing happens.
    (row.count ?? 1) > 1 ? processor.toFixed(0) : '',
  ];
  return `| ${cells.join(' | ')} |`;
}
