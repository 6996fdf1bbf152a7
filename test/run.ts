import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env, exit } from 'node:process';
import { helmBinary, installPrerequisites, tellBuilds, virtctlBinary } from './cluster/index.ts';
import { Lane } from './lane.ts';
import { secondAttempt } from './second-attempt.ts';
import { forgetUnusedCompiled } from './support/compiled.ts';
import { type Failure, summaryOf } from './support/reporter.ts';

/**
 * Runs the test suites named by the arguments, or all of them:
 * node test/run.ts [checks] [unit] [integration] [clusters] [e2e] [-- options of mocha]
 *
 * End-to-end tests mostly wait for the cluster: the others run beside them.
 */
const lanes = [['checks', 'unit', 'integration', 'clusters'], ['e2e']];
const suites = lanes.flat();

const separator = process.argv.indexOf('--');
const named = process.argv.slice(2, separator < 0 ? undefined : separator);
const options = separator < 0 ? [] : process.argv.slice(separator + 1);
const unknown = named.filter((name) => !suites.includes(name));
if (unknown.length > 0) {
  console.error(`there is no suite ${unknown.join(', ')}; there are ${suites.join(', ')}`);
  exit(2);
}
const chosen = suites.filter((suite) => named.length === 0 || named.includes(suite));
// Those that are set up for themselves are left out where there is one to use.
const usesCluster = chosen.includes('e2e') || (chosen.includes('clusters') && !env.KUBECONFIG);

try {
  // For the cluster of $KUBECONFIG this machine only serves images; checks and unit tests need nothing.
  const ownCluster = chosen.includes('integration') || (usesCluster && !env.KUBECONFIG);
  if (ownCluster || usesCluster) {
    await installPrerequisites((line) => console.log(line), ownCluster ? 'cluster' : 'servers');
    if (ownCluster) await tellBuilds((line) => console.log(line));
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  console.log('0 passed, 1 failed');
  exit(1);
}
forgetUnusedCompiled();
// A terminal tells all of its programs; a second time would keep mocha from cleaning up.
process.on('SIGINT', () => undefined);
const folder = await mkdtemp(join(tmpdir(), 'diskpress-tests-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
if (usesCluster) {
  // The later tests use them. They build them themselves where this fails, and say why they cannot.
  const quietly = { log: () => undefined, inBackground: true };
  const needed = [
    ...(chosen.includes('clusters') && !env.KUBECONFIG ? [helmBinary] : []),
    ...(chosen.includes('e2e') ? [virtctlBinary] : []),
  ];
  needed.reduce((built, build) => built.then(() => build(quietly)), Promise.resolve('')).catch(() => undefined);
}
const running = lanes
  .map((lane) => lane.filter((suite) => chosen.includes(suite)))
  .filter((lane) => lane.length > 0)
  .map((lane) => new Lane(lane, options, folder));
const first = { passed: 0, failures: [] as Failure[] };
let told = running.length;
let status = 0;
for (const lane of running) {
  const { status: ended, outcome } = await lane.tell();
  status ||= ended;
  first.passed += outcome.passed;
  first.failures.push(...outcome.failures);
}
// Who chooses tests wants to see them fail.
const total = options.length > 0 ? first : await secondAttempt(first, await mkdtemp(join(folder, 'again-')));
if (total !== first) told += 1;
if (told > 1) console.log(`\nall together:\n${summaryOf(total)}`);
exit(total.failures.length === 0 && first.failures.length > 0 ? 0 : status);
