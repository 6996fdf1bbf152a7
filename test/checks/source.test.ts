import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { cacheFolder, checkout, repository } from '../cluster/folders.ts';
import { PassedBefore } from './passed-before.ts';

/** What tools keep of this checkout, by which they look only at what has changed. */
const kept = join(cacheFolder(), 'checks', checkout);

/** What is wrong with the source as it stands, told by the tools that know. */
const checks: Record<string, string[]> = {
  'has sound types': ['tsc', '--noEmit', '--incremental', '--tsBuildInfoFile', join(kept, 'types.json')],
  'follows the lint rules': ['eslint', '.'],
  'is formatted': [
    ...['prettier', '--check', '.', '--cache', '--cache-strategy', 'content'],
    ...['--cache-location', join(kept, 'formatted.json')],
  ],
  'keeps its layers apart': ['depcruise', 'src', '--config', '.dependency-cruiser.mjs'],
  'has nothing that nobody uses': ['knip', '--no-progress'],
};

describe('the source', () => {
  let passedBefore: PassedBefore;

  before(async () => {
    passedBefore = await PassedBefore.create();
  });

  for (const [title, [tool = '', ...args]] of Object.entries(checks)) {
    it(title, async function () {
      this.timeout(900_000);
      this.slow(120_000);
      if (passedBefore.has(title)) return;
      const { status, stdout, stderr, error } = spawnSync(join(repository, 'node_modules/.bin', tool), args, {
        cwd: repository,
        encoding: 'utf8',
      });
      if (status !== 0) throw new Error(`${tool} ${args.join(' ')}:\n${stdout}${stderr}`, { cause: error });
      await passedBefore.add(title);
    });
  }
});
