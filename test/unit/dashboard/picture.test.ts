import { expect } from 'chai';
import fc from 'fast-check';
import type { Board } from '../../../src/dashboard/board.ts';
import { type Access, everything, visibleTo } from '../../../src/dashboard/picture/access.ts';
import { PAGE_SIZE, Pictures } from '../../../src/dashboard/picture/picture.ts';
import { defaultQuery, hrefOf, parseQuery, sortKeys } from '../../../src/dashboard/picture/query.ts';
import { kinds, type Row, states, watchedNames } from '../../../src/dashboard/rows/row.ts';

const row = (name: string, more: Partial<Row> = {}): Row => ({
  id: `datavolumes/team/${name}`,
  resource: 'datavolumes',
  kind: 'import',
  namespace: 'team',
  name,
  state: 'done',
  phase: 'Succeeded',
  source: '',
  created: 0,
  ...more,
});

const boardOf = (rows: readonly Row[]): Board => ({ version: 1, rows: () => [...rows] }) as unknown as Board;
const draw = (rows: readonly Row[], query: string, access: Access = everything) =>
  new Pictures(boardOf(rows)).draw(access, parseQuery(new URLSearchParams(query)));
const namesIn = (rows: readonly Row[], query: string) => draw(rows, query).rows.map(({ name }) => name);

describe('the picture of a page', () => {
  it('begins with what has failed, then with what waits and runs, and the newest of each', () => {
    const rows = [
      row('done'),
      row('running', { state: 'running' }),
      row('old', { state: 'failed', created: 1 }),
      row('waiting', { state: 'waiting' }),
      row('new', { state: 'failed', created: 2 }),
    ];
    expect(namesIn(rows, '')).to.deep.equal(['new', 'old', 'waiting', 'running', 'done']);
  });

  it('finds all words, wherever they are, in any case', () => {
    const rows = [row('web'), row('db', { why: { reason: 'NoSpace', message: 'the Disk is too large' } })];
    expect(namesIn(rows, 'q=nospace+DISK')).to.deep.equal(['db']);
    expect(namesIn(rows, 'q=nospace+web')).to.deep.equal([]);
  });

  it('counts states as if none were chosen', () => {
    const rows = [row('a', { state: 'failed' }), row('b'), row('c', { namespace: 'other' })];
    const picture = draw(rows, 'state=failed&namespace=team');
    expect(picture.counts).to.deep.equal({ failed: 1, waiting: 0, running: 0, done: 1 });
    expect(picture.rows.map(({ name }) => name)).to.deep.equal(['a']);
    expect(picture.namespaces).to.deep.equal(['other', 'team']);
  });

  it('shows every row on one of its pages, once, in every order', () => {
    const rows = Array.from({ length: 2 * PAGE_SIZE + 5 }, (_, index) => row(`vm-${index % 40}`, { id: `${index}` }));
    for (const sort of sortKeys) {
      const pages = ['1', '2', '3'].flatMap((page) => draw(rows, `sort=${sort}&page=${page}`).rows);
      expect(new Set(pages.map(({ id }) => id)).size, sort).to.equal(rows.length);
    }
    expect(draw(rows, 'page=99').page).to.equal(3);
  });
});

describe('what a reader sees', () => {
  const details = { strategy: 'copy', plan: 'secret', bytesPerSecond: 1, fallback: 'NoPopulator' };

  it('is never what the reader may not list, whatever is asked for', () => {
    const rows = watchedNames.flatMap((resource) =>
      ['red', 'blue'].map((namespace) => row('x', { id: `${resource}/${namespace}/x`, resource, namespace, details })),
    );
    const query = fc.record({
      q: fc.constantFrom('', 'x', 'secret', 'blue'),
      namespace: fc.constantFrom('', 'red', 'blue'),
      kind: fc.constantFrom('', ...kinds),
      state: fc.constantFrom('', ...states),
      sort: fc.constantFrom(...sortKeys),
      order: fc.constantFrom('asc', 'desc'),
    });
    const rights = fc.uniqueArray(fc.constantFrom(...watchedNames.flatMap((name) => [`${name}/red`, `${name}/blue`])));
    fc.assert(
      fc.property(query, rights, (asked, allowed) => {
        const access: Access = {
          id: '',
          mayList: (resource, namespace) => allowed.includes(`${resource}/${namespace}`),
        };
        const picture = draw(rows, new URLSearchParams(asked).toString(), access);
        for (const { resource, namespace, details: shown } of picture.rows) {
          expect(allowed).to.include(`${resource}/${namespace}`);
          if (shown?.plan !== undefined) expect(allowed).to.include(`persistentvolumeclaims/${namespace}`);
        }
        const mayBeNamed = new Set(allowed.map((right) => right.split('/')[1]));
        for (const namespace of picture.namespaces) expect(mayBeNamed.has(namespace)).to.equal(true);
      }),
    );
  });

  it('is of a claim no more than the strategy, which its DataVolume has too', () => {
    const access: Access = { id: '', mayList: (resource) => resource === 'datavolumes' };
    expect(visibleTo(access, row('a', { details }))?.details).to.deep.equal({ strategy: 'copy' });
    expect(visibleTo(everything, row('a', { details }))?.details).to.deep.equal(details);
  });
});

describe('what a reader asks for', () => {
  it('is read from any address, and what is not understood is left out', () => {
    fc.assert(
      fc.property(fc.webQueryParameters(), (text) => {
        expect(parseQuery(new URLSearchParams(text)))
          .to.have.property('page')
          .that.is.at.least(1);
      }),
    );
    const odd = parseQuery(new URLSearchParams('kind=x&state=&sort=__proto__&page=-1'));
    expect(odd).to.deep.equal({ ...defaultQuery, kind: undefined, state: undefined });
  });

  it('is written as it is read, and begins with the first page', () => {
    const query = { ...defaultQuery, q: 'a&b=c', kind: 'clone', page: 3 } as const;
    const href = hrefOf(query, { state: 'failed' });
    expect(parseQuery(new URLSearchParams(href.slice(3)))).to.deep.equal({ ...query, state: 'failed', page: 1 });
    expect(hrefOf(defaultQuery)).to.equal('./');
  });
});
