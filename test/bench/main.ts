import { exit } from 'node:process';
import { benchCommand } from './command-line.ts';
import { endInOrder } from './ending.ts';

interface Benchmark {
  /** In a line. */
  readonly about: string;
  /** Answers with its exit code. */
  readonly run: (args: string[]) => Promise<number>;
}

/** By what they are called: npm run bench -- [NAME] [OPTIONS] */
const benchmarks: Readonly<Record<string, Benchmark>> = {
  import: {
    about: 'imports of all kinds of images; what is meant where nothing is named',
    run: async (args) => (await import('./import/command.ts')).importing(args),
  },
  pods: {
    about: 'imports on the test cluster, against the command line',
    run: async (args) => (await import('./pods/command.ts')).podsBench(args),
  },
  ovirt: {
    about: 'imports from a simulated oVirt, against ovirt-img',
    run: async (args) => (await import('./ovirt/command.ts')).ovirtBench(args),
  },
  vddk: {
    about: 'imports from a simulated vCenter, against nbdcopy',
    run: async (args) => (await import('./vddk/command.ts')).vddkBench(args),
  },
  upload: {
    about: 'uploads to the test cluster by virtctl, against imports',
    run: async (args) => (await import('./upload/command.ts')).upload(args),
  },
  polls: {
    about: 'polls of images, in processor time',
    run: async (args) => (await import('./polls/command.ts')).polls(args),
  },
  cluster: {
    about: 'clones of each kind on the test cluster, against their aims',
    run: async (args) => (await import('./cluster/command.ts')).cluster(args),
  },
  clone: {
    about: 'copies between processes of this machine, against the usual tools',
    run: async (args) => (await import('./clone/command.ts')).clone(args),
  },
  scale: {
    about: 'clones by the thousand, with simulated storage',
    run: async (args) => (await import('./scale/command.ts')).scale(args),
  },
  dashboard: {
    about: 'the page of many DataVolumes, in a browser',
    run: async (args) => (await import('./dashboard/command.ts')).dashboard(args),
  },
};

/** Tells what there is; the options of each are told by itself. */
function overview() {
  const command = benchCommand('', 'Measures, and prints a table. Each benchmark takes --help.');
  for (const [name, { about }] of Object.entries(benchmarks)) command.command(name).description(about);
  return command.usage('[NAME] [OPTIONS]').helpCommand(false);
}

const given = process.argv.slice(2);
const [name = 'import', ...args] = given[0]?.startsWith('-') ? ['import', ...given] : given;
if (given[0] === '--help' || given[0] === '-h') overview().help();
const benchmark = benchmarks[name];
if (!benchmark) {
  overview().error(`there is no benchmark ${name}; there are ${Object.keys(benchmarks).join(', ')}`);
} else {
  endInOrder();
  exit(await benchmark.run(args));
}
