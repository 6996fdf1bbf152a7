import { exit } from 'node:process';
import { endInOrder } from './ending.ts';

/** Measurements by name; each answers with its exit code: npm run bench -- [NAME] [OPTIONS] */
const benchmarks: Readonly<Record<string, (args: string[]) => Promise<number>>> = {
  import: async (args) => (await import('./import/command.ts')).importing(args),
  clone: async (args) => (await import('./clone/command.ts')).clone(args),
  scale: async (args) => (await import('./scale/command.ts')).scale(args),
  cluster: async (args) => (await import('./cluster/command.ts')).cluster(args),
  pods: async (args) => (await import('./pods/command.ts')).podsBench(args),
  ovirt: async (args) => (await import('./ovirt/command.ts')).ovirtBench(args),
  vddk: async (args) => (await import('./vddk/command.ts')).vddkBench(args),
  polls: async (args) => (await import('./polls/command.ts')).polls(args),
  dashboard: async (args) => (await import('./dashboard/command.ts')).dashboard(args),
  upload: async (args) => (await import('./upload/command.ts')).upload(args),
};

const given = process.argv.slice(2);
// Imports are meant unless something else is named.
const [name = '', ...args] = given[0] === undefined || given[0].startsWith('-') ? ['import', ...given] : given;
const benchmark = benchmarks[name];
if (!benchmark) {
  console.error(`usage: npm run bench -- [NAME] [OPTIONS], where NAME is one of ${Object.keys(benchmarks).join(', ')}`);
  exit(2);
}
endInOrder();
exit(await benchmark(args));
