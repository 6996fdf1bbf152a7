import { type Build, buildOf } from '../against/build.ts';
import { type Compared, comparison, type Figures } from '../against/comparison.ts';
import { runOwnBenchmark } from '../against/own-benchmark.ts';
import { againstOption, benchCommand, counts, roundsOption, severalOf, withoutAgainst } from '../command-line.ts';
import { strategies, type Strategy } from './api-with-storage.ts';
import { measureScale, type ScaleResult } from './measure.ts';

const MEBI = 2 ** 20;
const log = (line: string): void => console.error(line);

interface Options {
  readonly count?: number[];
  readonly strategy?: Strategy[];
  readonly json: boolean;
  readonly against?: string;
  readonly rounds: number;
}

/**
 * Makes clones by the thousand, of storage that is simulated.
 *
 * @returns the exit code: 0
 */
export async function scale(args: string[]): Promise<number> {
  const given = benchCommand('scale', 'Makes clones by the thousand on a real API server with simulated storage.')
    .option('--count <number...>', 'of clones at once; otherwise 1000', counts)
    .addOption(severalOf('--strategy', 'how they are cloned; otherwise csi-clone', strategies))
    .addOption(withoutAgainst('--json', 'prints what is measured as JSON'))
    .addOption(againstOption())
    .addOption(roundsOption(1))
    .parse(args, { from: 'user' });
  const { count: numbers = [1000], strategy: chosen = ['csi-clone'], json, against, rounds } = given.opts<Options>();
  if (against === undefined && given.getOptionValueSource('rounds') !== 'default')
    given.error('error: --rounds needs --against, since without it each is measured once');
  const other = against === undefined ? undefined : await buildOf(against, log);
  const compared: Compared[] = [];
  for (const strategy of chosen) {
    for (const count of numbers) {
      if (other) {
        compared.push(await compare(strategy, count, other, rounds));
        continue;
      }
      const result = await measureScale(strategy, count, log);
      console.log(json ? JSON.stringify(result) : describe(result).join('\n'));
    }
  }
  if (other) console.log(comparison(other.name, compared));
  return 0;
}

/** Measures both builds in alternation, the other one by its own benchmark. */
async function compare(strategy: Strategy, count: number, other: Build, rounds: number): Promise<Compared> {
  const [ours, theirs]: [Figures[], Figures[]] = [[], []];
  const args = ['scale', '--json', '--strategy', strategy, '--count', String(count)];
  for (let round = 0; round < rounds; round += 1) {
    ours.push(figuresOf(await measureScale(strategy, count, log)));
    const printed = await runOwnBenchmark(other, args, log);
    theirs.push(figuresOf(JSON.parse(printed) as ScaleResult));
  }
  return { row: `${count} × ${strategy}`, ours, theirs };
}

function figuresOf(result: ScaleResult): Figures {
  return {
    seconds: result.seconds,
    'controller CPU each, ms': result.cpuPerClone,
    'API calls each': result.callsPerClone,
    'resident afterwards, MB': result.residentAfter / 1e6,
    'resident at most, MB': result.residentPeak / 1e6,
  };
}

function describe(result: ScaleResult): string[] {
  const mebi = (bytes: number) => `${Math.round(bytes / MEBI)} MiB`;
  const milliseconds = (seconds: number) => `${seconds * 1000} ms`;
  return [
    `${result.count} × ${result.strategy}: ${result.seconds.toFixed(1)} s, ${((result.seconds * 1000) / result.count).toFixed(1)} ms each`,
    `  controller CPU per clone   ${result.cpuPerClone.toFixed(1)} ms`,
    `  API calls per clone        ${result.callsPerClone.toFixed(1)}`,
    ...result.calls.map(([name, value]) => `    ${value.toFixed(2).padStart(6)}  ${name}`),
    `  reconciliations per clone  ${result.reconcilesPerClone.toFixed(1)}, half below ${milliseconds(result.reconcileMedian)}, 99 % below ${milliseconds(result.reconcile99)}`,
    `  resident memory            ${mebi(result.residentBefore)} before, ${mebi(result.residentAfter)} after, ${mebi(result.residentPeak)} at most`,
  ];
}
