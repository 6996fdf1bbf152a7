import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { repository } from '../../cluster/folders.ts';
import { buildOf } from '../against/build.ts';
import { comparison } from '../against/comparison.ts';
import { atEnd } from '../ending.ts';
import { middle, table } from '../table.ts';
import { cases } from './cases.ts';
import { bundledEnds } from './ends.ts';
import { measure, type Measured } from './measure.ts';

const NAMES = Object.keys(cases);
const log = (line: string): void => console.error(line);

/**
 * Measures host-assisted copies, with both ends as processes of this machine, against the usual tool in alternation:
 * npm run bench -- clone [--rounds 3] [--mebibytes 8192] [--files 100000] [--copies image]… [--against COMMIT]. Needs
 * root, for block devices and for cold caches.
 *
 * @returns the exit code: 0, or 2 for arguments that make no sense
 */
export async function clone(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: 'string', default: '3' },
      mebibytes: { type: 'string', default: '8192' },
      files: { type: 'string', default: '100000' },
      copies: { type: 'string', multiple: true, default: NAMES },
      against: { type: 'string' },
    },
  });
  const [rounds, mebibytes, files] = [values.rounds, values.mebibytes, values.files].map(Number);
  const unknown = values.copies.filter((name) => !NAMES.includes(name));
  if (unknown.length > 0 || !rounds || !mebibytes || !files) {
    console.error(`--rounds, --mebibytes and --files take numbers, and --copies one of ${NAMES.join(', ')}`);
    return 2;
  }
  const state = await mkdtemp(join(tmpdir(), 'diskpress-bench-'));
  atEnd(() => rmSync(state, { recursive: true, force: true }));
  const other = values.against === undefined ? undefined : await buildOf(values.against, log);
  const ours = await bundledEnds(repository, join(state, 'ours'));
  const theirs = other && (await bundledEnds(other.folder, join(state, 'theirs')));
  const results: Measured[] = [];
  for (const [name, create] of Object.entries(cases)) {
    if (!values.copies.includes(name)) continue;
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
