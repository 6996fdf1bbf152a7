import { spawnSync } from 'node:child_process';
import { execPath } from 'node:process';
import { expect } from 'chai';
import { productCommand } from '../../support/product-command.ts';
import { codeByHeading, readPage } from './pages.ts';

const helpOf = (...command: string[]) =>
  spawnSync(execPath, [...productCommand, ...command, '--help'], { encoding: 'utf8' }).stdout.trim();

describe('docs/cli.md', () => {
  const documented = codeByHeading(readPage('docs/cli.md'), 'text');
  const commands = [...helpOf().matchAll(/^ {2}([a-z]+) /gm)]
    .map(([, name = '']) => name)
    .filter((name) => name !== 'help');

  it('has every command', () => {
    expect(commands).to.have.length.greaterThan(2);
    expect([...documented.keys()]).to.have.members(commands.map((name) => `diskpress ${name}`));
  });

  for (const name of commands) {
    it(`says of ${name} what --help says`, () => {
      expect(documented.get(`diskpress ${name}`)).to.equal(helpOf(name));
    });
  }
});
