import { join } from 'node:path';
import { execPath } from 'node:process';
import { expect } from 'chai';
import { run } from '../support/processes.ts';

describe('damaged images', () => {
  it('neither crash a decoder nor make it reach outside of them', async () => {
    const script = join(import.meta.dirname, '../../fuzz/main.ts');
    const { stdout } = await run(execPath, [script, '--runs', '2000', '--seed', '1']);
    expect(stdout).to.contain('nothing found');
  });
});
