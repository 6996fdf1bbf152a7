import { parseArgs } from 'node:util';
import { strategies, type Strategy } from './api-with-storage.ts';
import { measureScale, type ScaleResult } from './measure.ts';

const MEBI = 2 ** 20;

/**
 * `npm run bench -- scale [--count N]… [--strategy csi-clone|snapshot|grow|other-namespace]… [--json]`
 *
 * @returns the exit code: 0, or 2 for arguments that make no sense
 */
export async function scale(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      count: { type: 'string', multiple: true, default: ['1000'] },
      strategy: { type: 'string', multiple: true, default: ['csi-clone'] },
      json: { type: 'boolean', default: false },
    },
  });
  const counts = values.count.map(Number);
  const unknown = values.strategy.filter((name) => !strategies.some((known) => known === name));
  if (unknown.length > 0 || counts.some((count) => !Number.isSafeInteger(count) || count < 1)) {
    console.error(`--count takes whole numbers, and --strategy one of ${strategies.join(', ')}`);
    return 2;
  }
  for (const strategy of values.strategy as Strategy[]) {
    for (const count of counts) {
      const result = await measureScale(strategy, count, (line) => console.error(line));
      console.log(values.json ? JSON.stringify(result) : describe(result).join('\n'));
    }
  }
  return 0;
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
