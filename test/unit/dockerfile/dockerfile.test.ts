import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { repository } from '../../cluster/folders.ts';

/** A Dockerfile's instructions without comments, each in one line. */
const instructions = readFileSync(join(repository, 'Dockerfile'), 'utf8')
  .split('\n')
  .filter((line) => !line.trimStart().startsWith('#'))
  .join('\n')
  .replaceAll(/\\\n\s*/g, '')
  .split('\n')
  .filter((line) => line !== '');

const argumentsOf = (name: string): string[] =>
  instructions.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1));

describe('the Dockerfile', () => {
  const bases = new Map(argumentsOf('ARG').map((argument) => argument.split('=', 2) as [string, string]));

  it('has every base by its digest', () => {
    expect(bases).not.to.be.empty;
    for (const [name, base] of bases) expect(base, name).to.match(/^\S+:\S+@sha256:[0-9a-f]{64}$/);
  });

  it('builds on these bases only', () => {
    const used = argumentsOf('FROM').map((from) => /^\$\{(\w+)\}/.exec(from)?.[1]);
    expect([...new Set(used)]).to.have.members([...bases.keys()]);
  });

  const last = instructions.slice(instructions.findLastIndex((line) => line.startsWith('FROM ')));

  it('leaves no setuid program, which nothing that comes later brings back', () => {
    const removal = last.findIndex((line) => line.includes('find / -xdev -perm /6000 -exec chmod a-s {} +'));
    expect(removal).to.be.above(0);
    const later = last.slice(removal + 1);
    expect(later.filter((line) => /^(RUN|ADD) /.test(line))).to.be.empty;
    expect(later.filter((line) => line.startsWith('COPY '))).to.deep.equal([
      'COPY --from=build /build/dist /usr/share/diskpress',
      'COPY --from=native /native /usr/lib/diskpress',
    ]);
  });

  it('leaves no package manager of Node', () => {
    const removed = last.flatMap((line) => /rm -rf ([^&]*)/.exec(line)?.[1]?.split(/\s+/) ?? []);
    const expected = ['/usr/local/lib/node_modules', ...['npm', 'npx', 'corepack', 'yarn'].map(inBin)];
    expect(removed).to.include.members(expected);
  });

  it('keeps the licences of what is installed, and the package database as it is', () => {
    const text = last.join('\n');
    expect(text).to.match(/find \/usr\/share\/doc -type f ! -name copyright -delete/);
    expect(text).not.to.match(/rm -rf[^&]*\/usr\/share\/doc/);
    expect(text).not.to.match(/--force/);
  });

  it('runs as the user of disk images', () => {
    expect(argumentsOf('USER')).to.deep.equal(['107:107']);
  });

  it('is given all that it copies', () => {
    const copied = argumentsOf('COPY')
      .filter((argument) => !argument.startsWith('--from'))
      .flatMap((argument) => argument.split(' ').slice(0, -1));
    const given = readFileSync(join(repository, '.dockerignore'), 'utf8').split('\n');
    expect(given).to.include.members(copied.map((path) => `!${path}`));
  });
});

function inBin(name: string): string {
  return `/usr/local/bin/${name}`;
}
