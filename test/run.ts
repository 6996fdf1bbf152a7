import { once } from 'node:events';
import { join } from 'node:path';
import { env, execPath, exit } from 'node:process';
import { repository } from './cluster/folders.ts';
import { installPrerequisites } from './cluster/index.ts';
import { spawnBound } from './support/bound-child.ts';

/**
 * Runs the test suites named by the arguments, or all of them, in one run of mocha:
 * node test/run.ts [checks] [unit] [integration] [e2e] [-- options of mocha]
 */
const suites = ['checks', 'unit', 'integration', 'e2e'];

const separator = process.argv.indexOf('--');
const named = process.argv.slice(2, separator < 0 ? undefined : separator);
const options = separator < 0 ? [] : process.argv.slice(separator + 1);
const unknown = named.filter((name) => !suites.includes(name));
if (unknown.length > 0) {
  console.error(`there is no suite ${unknown.join(', ')}; there are ${suites.join(', ')}`);
  exit(2);
}
const chosen = suites.filter((suite) => named.length === 0 || named.includes(suite));

try {
  // For the cluster of $KUBECONFIG this machine only serves images; checks and unit tests need nothing.
  const ownCluster = chosen.includes('integration') || (chosen.includes('e2e') && !env.KUBECONFIG);
  if (ownCluster || chosen.includes('e2e')) {
    await installPrerequisites((line) => console.log(line), ownCluster ? 'cluster' : 'servers');
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  console.log('0 passed, 1 failed');
  exit(1);
}
const mocha = join(repository, 'node_modules/mocha/bin/mocha.js');
// Beside the tests there are helpers, some of which are programs of their own.
const tests = chosen.map((suite) => join('test', suite, '**', '*.test.ts'));
const child = spawnBound(execPath, [mocha, ...options, ...tests], { cwd: repository, stdio: 'inherit' });
for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
// A terminal tells all of its programs; a second time would keep mocha from cleaning up.
process.on('SIGINT', () => undefined);
const [status] = (await once(child, 'exit')) as [number | null];
exit(status ?? 1);
