import { execPath } from 'node:process';
import { run } from '../../cluster/commands.ts';
import { type Build, buildOf } from '../against/build.ts';
import { comparison, type Figures } from '../against/comparison.ts';
import { runOwnBenchmark } from '../against/own-benchmark.ts';
import type { Result } from './command.ts';

/** Two builds cannot be installed beside each other: the other one gets a test cluster of its own. */
const CLUSTER = { DISKPRESS_CLUSTER: 'against', KUBECONFIG: undefined };

const SECONDS = 'seconds';
const CALLS = 'API calls each';
const PROCESSOR = 'controller CPU each, ms';

const log = (line: string): void => console.error(line);

export interface ClusterRounds {
  /** What the names of the rows contain, one of them each. */
  readonly texts: readonly string[];
  readonly rounds: number;
  /** Measures these rows once for this build. */
  measure: () => Promise<Result[]>;
}

/** Measures clones in both builds in alternation, the other one by its own benchmark. @returns a table in Markdown */
export async function clusterAgainst(commit: string, { texts, rounds, measure }: ClusterRounds): Promise<string> {
  const other = await buildOf(commit, log);
  const [ours, theirs]: [Map<string, Figures>[], Map<string, Figures>[]] = [[], []];
  try {
    for (let round = 0; round < rounds; round += 1) {
      ours.push(new Map((await measure()).map((result) => [result.row.name, figuresOf(result)])));
      const measured = new Map<string, Figures>();
      for (const text of texts) {
        // Not all at once: an earlier build's benchmark takes one.
        const printed = await runOwnBenchmark(other, ['cluster', '--rounds', '1', '--rows', text], log, CLUSTER);
        for (const [row, figures] of figuresIn(printed)) measured.set(row, figures);
      }
      theirs.push(measured);
    }
  } finally {
    await removeCluster(other);
  }
  const of = (rounds: Map<string, Figures>[], row: string): Figures[] => rounds.map((each) => each.get(row) ?? {});
  const names = [...(ours[0]?.keys() ?? [])];
  return comparison(
    other.name,
    names.map((row) => ({ row, ours: of(ours, row), theirs: of(theirs, row) })),
  );
}

async function removeCluster({ folder }: Build): Promise<void> {
  await run(execPath, ['test/launch.mjs', 'test/cluster/cli.ts', 'down'], { cwd: folder, env: CLUSTER });
}

function figuresOf({ row: { count = 1 }, seconds, calls, processor }: Result): Figures {
  return { [SECONDS]: seconds, [CALLS]: calls, ...(count > 1 && { [PROCESSOR]: processor }) };
}

/** Reads the table that the benchmark prints. */
function figuresIn(printed: string): Map<string, Figures> {
  const [head, , ...lines] = printed
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  if (!head || lines.length === 0)
    throw new Error('the benchmark of the other build printed no rows: see what it said above');
  return new Map(
    lines.map(([name = '', ...cells]) => {
      const measured = head.slice(1).map((column, index): [string, string] => [column, cells[index] ?? '']);
      const kept = measured.filter(([column, cell]) => [SECONDS, CALLS, PROCESSOR].includes(column) && cell !== '');
      return [name, Object.fromEntries(kept.map(([column, cell]) => [column, Number(cell)]))];
    }),
  );
}
