import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { cloneFallbackReasons } from '../../../src/api/clone.ts';
import { dataVolumeEventReasons } from '../../../src/api/event-reasons.ts';
import { repository } from '../../cluster/folders.ts';
import { readPage, tablesOf, type Table } from './pages.ts';

/** Reasons of the API that nothing of this version uses. */
const UNUSED = ['UploadScheduled', 'UploadReady', 'UploadSucceeded', 'UploadFailed', 'ErrDataSourceAlreadyManaged'];
/** Reasons that are explained in the text below the table. */
const IN_TEXT = ['ImportFailed', 'CloneFailed'];

const source = globSync('src/**/*.ts', { cwd: repository })
  .map((path) => readFileSync(join(repository, path), 'utf8'))
  .join('\n');

/** The rows of a table by each of the reasons that they explain. */
function byReason({ header, rows }: Table): Map<string, readonly string[]> {
  const column = header.indexOf('reason');
  return new Map(rows.flatMap((row) => (row[column] ?? '').split(', ').map((reason) => [reason, row] as const)));
}

describe('docs/troubleshooting.md', () => {
  const tables = tablesOf(readPage('docs/troubleshooting.md')).map(byReason);
  const [troubles] = tables;
  const documented = new Set([...tables.flatMap((table) => [...table.keys()]), ...IN_TEXT]);

  it('explains every failure of a transfer, and whether it is permanent', () => {
    const failures = [...source.matchAll(/^ {2}([A-Z]\w+): '(permanent|passing)',$/gm)];
    expect(failures).to.have.length.greaterThan(30);
    for (const [, code = '', kind] of failures) expect(troubles?.get(code)?.[1], code).to.equal(kind);
  });

  it('explains whatever a controller waits for or gives up for', () => {
    const thrown = [...source.matchAll(/new (?:Waiting|Terminal)Error\(\s*'(\w+)'/g)].map(([, reason = '']) => reason);
    expect(thrown).to.have.length.greaterThan(20);
    expect([...documented]).to.include.members(thrown.filter((reason) => /^[A-Z]/.test(reason)));
  });

  it('explains every reason of an event', () => {
    const used = dataVolumeEventReasons.filter((reason) => !UNUSED.includes(reason));
    expect([...documented]).to.include.members(used);
  });

  it('explains nothing that there is not', () => {
    for (const reason of documented)
      expect(source.includes(`'${reason}'`) || source.includes(`${reason}:`), reason).to.equal(true);
  });

  it('says of each reason once what to do', () => {
    const [rows] = tablesOf(readPage('docs/troubleshooting.md'));
    const reasons = rows?.rows.flatMap(([cell = '']) => cell.split(', ')) ?? [];
    expect(reasons).to.deep.equal([...new Set(reasons)]);
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
