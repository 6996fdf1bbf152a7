import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { expect } from 'chai';
import { cachedTypeScript } from '../../support/product-command.ts';
import { run } from '../support/processes.ts';

const MAIN = join(import.meta.dirname, '../../fuzz/main.ts');

describe('damaged images', () => {
  it('neither crash a decoder nor make it reach outside of them', async () => {
    const { stdout } = await run(execPath, [MAIN, '--runs', '2000', '--seed', '1']);
    expect(stdout).to.contain('nothing found');
  });
});

describe('the command line by which images are damaged', () => {
  const fuzz = (...args: string[]) =>
    spawnSync(execPath, [...cachedTypeScript, MAIN, ...args], { encoding: 'utf8', timeout: 60_000 });

  it('tells what it takes', () => {
    const { status, stdout } = fuzz('--help');
    expect(status).to.equal(0);
    expect(stdout).to.match(/npm run fuzz -- .*--format <name>.*choices: "qcow2",/s);
  });

  const refused: Record<string, { args: string[]; told: RegExp }> = {
    'an option': { args: ['--rounds', '3'], told: /unknown option '--rounds'/ },
    'a format': { args: ['--format', 'tar'], told: /'tar' is invalid.*qcow2, / },
    'a number of runs': { args: ['--runs', '0'], told: /'0' is invalid.*whole number from 1/ },
    'a first run': { args: ['--from', '-1'], told: /'-1' is invalid.*whole number from 0/ },
  };
  for (const [what, { args, told }] of Object.entries(refused)) {
    it(`refuses ${what} that there is not`, () => {
      const { status, stderr } = fuzz(...args);
      expect(stderr).to.match(told).and.not.to.contain('    at ');
      expect(status).to.equal(2);
    });
  }
});
