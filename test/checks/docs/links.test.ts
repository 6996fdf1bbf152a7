import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect } from 'chai';
import { repository } from '../../cluster/folders.ts';
import { anchorsOf, codeSpansOf, linksOf, type Page, pages, readPage } from './pages.ts';

/** Links within the repository: what they lead to, as a path in it, and their anchor. */
function innerLinksOf(page: Page): { text: string; path: string; anchor: string | undefined }[] {
  return linksOf(page)
    .filter(({ target }) => !/^[a-z]+:/.test(target))
    .map(({ text, target }) => {
      const [path = '', anchor] = target.split('#');
      return { text, path: path === '' ? page.path : normalize(join(dirname(page.path), path)), anchor };
    });
}

describe('the documentation', () => {
  const byPath = new Map(pages.map((page) => [page.path, page]));

  for (const page of pages) {
    it(`has links that lead somewhere: ${page.path}`, () => {
      for (const { path, anchor } of innerLinksOf(page)) {
        expect(existsSync(join(repository, path)), `${path} exists`).to.equal(true);
        if (anchor === undefined) continue;
        expect([...anchorsOf(byPath.get(path) ?? readPage(path))], `headings of ${path}`).to.include(anchor);
      }
    });
  }

  it('names files and folders that are there', () => {
    const named = pages.flatMap((page) =>
      codeSpansOf(page)
        .filter((text) => /^(src|test|crds|deploy|docs|build|findings)\/[\w./-]+$/.test(text))
        .map((text) => ({ page: page.path, named: text })),
    );
    expect(named).to.have.length.greaterThan(50);
    expect(named.filter(({ named }) => !existsSync(join(repository, named)))).to.deep.equal([]);
  });

  it('leads from the README to every page', () => {
    const reached = new Set(['README.md']);
    for (const path of reached) {
      const page = byPath.get(path);
      if (page) innerLinksOf(page).forEach((link) => reached.add(link.path));
    }
    expect([...byPath.keys()].filter((path) => !reached.has(path))).to.deep.equal([]);
  });

  it('links to other sites by https alone', () => {
    const foreign = pages.flatMap(linksOf).filter(({ target }) => /^[a-z]+:/.test(target));
    for (const { target } of foreign) expect(target).to.match(/^https:/);
  });

  it('names a test for each promise of the threat model', () => {
    const promised = innerLinksOf(readPage('docs/security.md')).filter(({ path }) => path.endsWith('.test.ts'));
    expect(promised).to.have.length.greaterThan(15);
    for (const { text, path } of promised) {
      expect(readFileSync(join(repository, path), 'utf8'), path).to.include(text);
    }
  });
});
