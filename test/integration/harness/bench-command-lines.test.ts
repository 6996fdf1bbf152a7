import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'chai';
import { repository } from '../../cluster/folders.ts';
import { cachedTypeScript } from '../../support/product-command.ts';

const MAIN = join(repository, 'test/bench/main.ts');

function bench(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [...cachedTypeScript, MAIN, ...args], { encoding: 'utf8', timeout: 60_000 });
}

describe('the command line of the benchmarks', () => {
  it('names them all', () => {
    const { status, stdout } = bench('--help');
    expect(status).to.equal(0);
    for (const name of ['import', 'pods', 'ovirt', 'vddk', 'upload', 'polls', 'cluster', 'clone', 'scale', 'dashboard'])
      expect(stdout).to.match(new RegExp(`^ +${name} +\\w`, 'm'));
  });

  it('tells what each takes', () => {
    const { status, stdout } = bench('clone', '--help');
    expect(status).to.equal(0);
    expect(stdout)
      .to.match(/--copies <name\.\.\.>.*choices: "image",/s)
      .and.to.match(/--against <commit>/);
  });

  const refused: Record<string, { args: string[]; told: RegExp }> = {
    'a benchmark': { args: ['copies'], told: /there is no benchmark copies; there are import, pods,/ },
    'one of several names': { args: ['clone', '--copies', 'image', 'disk'], told: /'disk' is invalid.*image, / },
    'a part of a name': {
      args: ['cluster', '--rows', 'snapshot', 'ledger'],
      told: /no row with "ledger".*csi-clone; /,
    },
    'a number': { args: ['scale', '--count', '1000', 'many'], told: /'many' is invalid.*whole number/ },
    'an option': { args: ['polls', '--times', '3'], told: /unknown option '--times'/ },
  };
  for (const [what, { args, told }] of Object.entries(refused))
    it(`refuses ${what} that there is not`, () => requireRefusal(args, told));

  it('refuses what would have no effect beside another option, or without one', () => {
    const against = ['--against', 'HEAD'];
    for (const name of ['--calls', '--timeline'])
      requireRefusal(['cluster', name, ...against], new RegExp(`'${name}' cannot be used with option '--against`));
    requireRefusal(['scale', '--json', ...against], /'--json' cannot be used with option '--against/);
    requireRefusal(['scale', '--rounds', '2'], /--rounds needs --against/);
  });

  function requireRefusal(args: string[], told: RegExp): void {
    const { status, stderr } = bench(...args);
    expect(stderr).to.match(told).and.not.to.contain('    at ');
    expect(status).to.equal(2);
  }
});
