import { expect } from 'chai';
import { cloneFallbackReasons } from '../../../src/api/clone.ts';
import { reasonGroups } from '../../../src/api/reason-groups.ts';
import { readPage, type Table, tablesOf } from './pages.ts';

/** The rows of a table by each of the reasons that they explain. */
function byReason({ header, rows }: Table): Map<string, readonly string[]> {
  const column = header.indexOf('reason');
  return new Map(rows.flatMap((row) => (row[column] ?? '').split(', ').map((reason) => [reason, row] as const)));
}

describe('docs/troubleshooting.md', () => {
  const [troubles, ordinary] = tablesOf(readPage('docs/troubleshooting.md'));

  it('has the table of reasons, word for word', () => {
    const plain = (markdown: string) => markdown.replaceAll('`', '').replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1');
    const expected = reasonGroups
      .filter(({ course }) => course !== 'ordinary')
      .map(({ reasons, course, remedy }) => [reasons.join(', '), course, plain(remedy)]);
    expect(troubles?.rows).to.deep.equal(expected);
  });

  it('explains what is ordinary', () => {
    const explained = ordinary && [...byReason(ordinary).keys()];
    const reasons = reasonGroups.flatMap((group) => (group.course === 'ordinary' ? [...group.reasons] : []));
    expect(explained).to.include.members(reasons);
  });
});

describe('docs/cloning.md', () => {
  it('explains why a clone may fall back to a copy', () => {
    const table = tablesOf(readPage('docs/cloning.md'))
      .map(byReason)
      .find((rows) => rows.has('NoPopulator'));
    expect([...(table?.keys() ?? [])]).to.have.members([...cloneFallbackReasons]);
  });
});
