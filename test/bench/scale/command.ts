import { type Build, buildOf, ownBuild } from '../against/build.ts';
import { type Compared, comparison, type Figures } from '../against/comparison.ts';
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
  const own = await ownBuild();
  const other = against === undefined ? undefined : await buildOf(against, log);
  const compared: Compared[] = [];
  for (const strategy of chosen) {
    for (const count of numbers) {
      if (other) {
        compared.push(await compare(strategy, count, [own, other], rounds));
        continue;
      }
      const result = await measureScale(own, strategy, count, log);
      console.log(json ? JSON.stringify(result) : describe(result).join('\n'));
    }
  }
  if (other) console.log(comparison(other.name, compared));
  return 0;
}

/** Measures the controllers of both builds in alternation, with the same storage. */
async function compare(
  strategy: Strategy,
  count: number,
  [own, other]: readonly [Build, Build],
  rounds: number,
): Promise<Compared> {
  const [ours, theirs]: [Figures[], Figures[]] = [[], []];
  for (let round = 0; round < rounds; round += 1) {
    ours.push(figuresOf(await measureScale(own, strategy, count, log)));
    theirs.push(figuresOf(await measureScale(other, strategy, count, log)));
  }
  return { row: `${count} × ${strategy}`, ours, theirs };
}

function figuresOf(result: ScaleResult): Figures {
  return {
    seconds: result.seconds,
    'controller CPU each, ms': result.cpuPerClone,
    'API server CPU each, ms': result.serverCpuPerClone,
    'etcd CPU each, ms': result.etcdCpuPerClone,
    'API calls each': result.callsPerClone,
    'reconciliations each': result.reconcilesPerClone,
    'resident afterwards, MB': result.residentAfter / 1e6,
    'resident at most, MB': result.residentPeak / 1e6,
  };
}

function describe(result: ScaleResult): string[] {
  const mebi = (bytes: number) => `${Math.round(bytes / MEBI)} MiB`;
  const milliseconds = (seconds: number) => `${seconds * 1000} ms`;
  const tallied = ([name, value]: readonly [string, number]) => `    ${value.toFixed(2).padStart(6)}  ${name}`;
  return [
    `${result.count} × ${result.strategy}: ${result.seconds.toFixed(1)} s, ${((result.seconds * 1000) / result.count).toFixed(1)} ms each`,
    `  controller CPU per clone   ${result.cpuPerClone.toFixed(1)} ms`,
    `  API server CPU per clone   ${result.serverCpuPerClone.toFixed(1)} ms, and ${result.etcdCpuPerClone.toFixed(1)} ms of etcd`,
    `  simulation CPU per clone   ${result.simulationCpuPerClone.toFixed(1)} ms`,
    `  API calls per clone        ${result.callsPerClone.toFixed(1)}`,
    ...result.calls.map(tallied),
    `  reconciliations per clone  ${result.reconcilesPerClone.toFixed(1)}, half below ${milliseconds(result.reconcileMedian)}, 99 % below ${milliseconds(result.reconcile99)}`,
    ...result.reconciles.map(tallied),
    `  resident memory            ${mebi(result.residentBefore)} before, ${mebi(result.residentAfter)} after, ${mebi(result.residentPeak)} at most`,
  ];
}
