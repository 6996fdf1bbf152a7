import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repository } from '../../cluster/folders.ts';
import { count } from '../../support/command-line.ts';
import { buildOf } from '../against/build.ts';
import { comparison } from '../against/comparison.ts';
import { againstOption, benchCommand, roundsOption, severalOf } from '../command-line.ts';
import { atEnd } from '../ending.ts';
import { middle, table } from '../table.ts';
import { cases } from './cases.ts';
import { bundledEnds } from './ends.ts';
import { measure, type Measured } from './measure.ts';

const NAMES = Object.keys(cases);
const log = (line: string): void => console.error(line);

interface Options {
  readonly copies?: string[];
  readonly mebibytes: number;
  readonly files: number;
  readonly rounds: number;
  readonly against?: string;
}

/**
 * Measures host-assisted copies, with both ends as processes of this machine, against the usual tool in alternation.
 * Needs root, for block devices and for cold caches.
 *
 * @returns the exit code: 0
 */
export async function clone(args: string[]): Promise<number> {
  const given = benchCommand('clone', 'Copies a volume between two processes of this machine, or by one.')
    .addOption(severalOf('--copies', 'what to copy, and how; otherwise all', NAMES))
    .option('--mebibytes <count>', 'of a disk', count, 8192)
    .option('--files <count>', 'of a tree', count, 100_000)
    .addOption(roundsOption(3))
    .addOption(againstOption())
    .parse(args, { from: 'user' });
  const { copies = NAMES, mebibytes, files, rounds, against } = given.opts<Options>();
  const state = await mkdtemp(join(tmpdir(), 'diskpress-bench-'));
  atEnd(() => rmSync(state, { recursive: true, force: true }));
  const other = against === undefined ? undefined : await buildOf(against, log);
  const ours = await bundledEnds(repository, join(state, 'ours'));
  const theirs = other && (await bundledEnds(other.folder, join(state, 'theirs')));
  const results: Measured[] = [];
  for (const [name, create] of Object.entries(cases)) {
    if (!copies.includes(name)) continue;
    results.push(await measure(create({ mebibytes, files }), { rounds, ours, theirs, log }));
  }
  console.log(report(results));
  if (other) {
    const compared = results.map(({ name, ...runs }) => ({ row: name, ...runs }));
    console.log(`\n${comparison(other.name, compared)}`);
  }
  return 0;
}

function report(results: readonly Measured[]): string {
  const head = [
    ...['copy', 'usual tool, s', 'diskpress, s', 'ratio', 'processor at the source, s', 'at the target, s'],
    ...['MB to be read', 'fetched', 'sent'],
  ];
  const lines = results.map(({ name, reference, ours, needed }) => [
    name,
    middle(reference).toFixed(1),
    middle(ours.map(({ seconds }) => seconds)).toFixed(1),
    middle(ours.map(({ seconds }, round) => seconds / (reference[round] ?? NaN))).toFixed(2),
    middle(ours.map((usage) => usage['source: processor, s'])).toFixed(1),
    middle(ours.map((usage) => usage['target: processor, s'])).toFixed(1),
    needed?.toFixed(0) ?? '',
    middle(ours.map((usage) => usage['source: fetched, MB'])).toFixed(0),
    middle(ours.map((usage) => usage['source: sent, MB'])).toFixed(0),
  ]);
  return table(head, lines);
}
