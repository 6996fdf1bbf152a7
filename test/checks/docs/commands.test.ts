import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import packageDocument from '../../../package.json' with { type: 'json' };
import { repository } from '../../cluster/folders.ts';
import { codeBlocksOf, codeSpansOf, type Page, pages } from './pages.ts';

const commandsOf = (page: Page) => [
  ...codeBlocksOf(page, 'sh').flatMap((block) => block.split('\n')),
  ...codeSpansOf(page),
];

/** The text of all files that match, joined. */
const textOf = (...patterns: string[]) =>
  globSync(patterns, { cwd: repository })
    .map((path) => readFileSync(join(repository, path), 'utf8'))
    .join('\n');

describe('the commands of the documentation', () => {
  const commands = pages.flatMap(commandsOf);

  it('run scripts that there are', () => {
    const named = commands.flatMap((command) => [...command.matchAll(/\bnpm run (?:--silent )?([a-z:0-9-]+)/g)]);
    expect(named).to.have.length.greaterThan(10);
    for (const [command, script] of named) expect(packageDocument.scripts, command).to.have.property(script ?? '');
  });

  it('give mocha its options behind a second --', () => {
    for (const command of commands.filter((candidate) => /npm run test:.* --grep/.test(candidate))) {
      expect(command).to.include(' -- -- --grep ');
    }
  });

  it('choose tests that there are', () => {
    const tests = textOf('test/**/*.test.ts');
    const chosen = commands.flatMap((command) => [...command.matchAll(/--grep "([^"]+)"/g)]);
    expect(chosen).to.have.length.greaterThan(5);
    for (const [, title = ''] of chosen) expect(tests.includes(title), title).to.equal(true);
  });

  it('name files and folders that there are', () => {
    const words = commands.flatMap((command) => command.split(/[\s()'"]+/));
    for (const path of words.filter((word) => /^(deploy|crds|test|findings|docs)\/[\w./-]+$/.test(word))) {
      expect(existsSync(join(repository, path)), path).to.equal(true);
    }
  });

  it('set variables that are read', () => {
    const code = textOf('src/**/*.ts', 'test/**/*.ts', 'build/**/*.ts');
    const variables = new Set(commands.flatMap((command) => command.match(/\bDISKPRESS_[A-Z_]+/g) ?? []));
    expect(variables.size).to.be.greaterThan(5);
    for (const variable of variables) expect(code.includes(variable), variable).to.equal(true);
  });
});
