import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { repository } from '../cluster/folders.ts';

/** What is wrong with the source as it stands, told by the tools that know. */
const checks: Record<string, string[]> = {
  'has sound types': ['tsc', '--noEmit'],
  'follows the lint rules': ['eslint', '.'],
  'is formatted': ['prettier', '--check', '.'],
  'keeps its layers apart': ['depcruise', 'src', '--config', '.dependency-cruiser.mjs'],
  'has nothing that nobody uses': ['knip', '--no-progress'],
};

describe('the source', () => {
  for (const [title, [tool = '', ...args]] of Object.entries(checks)) {
    it(title, function () {
      this.timeout(900_000);
      this.slow(120_000);
      const { status, stdout, stderr, error } = spawnSync(join(repository, 'node_modules/.bin', tool), args, {
        cwd: repository,
        encoding: 'utf8',
      });
      if (status !== 0) throw new Error(`${tool} ${args.join(' ')}:\n${stdout}${stderr}`, { cause: error });
    });
  }
});
