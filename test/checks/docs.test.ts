import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { repository } from '../cluster/folders.ts';

const pages = ['README.md', 'SECURITY.md', 'docs/security.md', 'docs/limits.md', 'docs/formats.md'];

/** The links of a page, by their text. */
function linksIn(page: string): { text: string; path: string }[] {
  const content = readFileSync(join(repository, page), 'utf8');
  return [...content.matchAll(/\[([^\]]+)\]\(([^)#:]+)\)/g)].map(([, text = '', target = '']) => ({
    text,
    path: join(repository, dirname(page), target),
  }));
}

describe('the documentation', () => {
  for (const page of pages) {
    it(`links to what there is: ${page}`, () => {
      for (const { path } of linksIn(page)) expect(existsSync(path), path).to.equal(true);
    });
  }

  it('names a test for each promise that is there', () => {
    const promised = linksIn('docs/security.md').filter(({ path }) => path.endsWith('.test.ts'));
    expect(promised).to.have.length.greaterThan(15);
    for (const { text, path } of promised) expect(readFileSync(path, 'utf8'), path).to.include(text);
  });
});
