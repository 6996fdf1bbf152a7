import { exit } from 'node:process';

/** Measurements by name; each answers with its exit code: npm run bench -- NAME [OPTIONS] */
const benchmarks: Readonly<Record<string, (args: string[]) => Promise<number>>> = {
  scale: async (args) => (await import('./scale/command.ts')).scale(args),
};

const [name = '', ...args] = process.argv.slice(2);
const benchmark = benchmarks[name];
if (!benchmark) {
  console.error(`usage: npm run bench -- NAME [OPTIONS], where NAME is one of ${Object.keys(benchmarks).join(', ')}`);
  exit(2);
}
exit(await benchmark(args));
