import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { TransferError } from '../../../../src/base/errors.ts';
import { archiveTree } from '../../../../src/transfer/copy/tree-archive.ts';
import { listMembers, type TreeMember } from '../../../../src/transfer/copy/tree-members.ts';
import { sh } from '../../../integration/copy/rig/disks.ts';

async function* broken(): AsyncGenerator<TreeMember[]> {
  yield await Promise.resolve([]);
  throw new TransferError('SourceNotReadable', 'the list broke');
}

describe('the archive of a tree', () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'tree-'));
  });

  afterEach(async () => {
    await rm(directory, { recursive: true });
  });

  async function archive(members = listMembers(directory)): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for await (const chunk of archiveTree(directory, members)) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  it('has the listed members, and not the root', async () => {
    await mkdir(join(directory, 'folder'));
    await mkdir(join(directory, 'lost+found'));
    await writeFile(join(directory, 'folder', 'file'), 'content');
    const path = join(directory, 'lost+found', 'archive');
    await writeFile(path, await archive());
    expect(sh('tar -tf "$1"', '/', path)).to.equal('./folder/\n./folder/file\n');
  });

  it('fails where the list does, though tar would be content', async () => {
    const failure = await archive(broken()).catch((error: unknown) => error);
    expect(failure).to.include({ code: 'SourceNotReadable', message: 'the list broke' });
  });

  it('fails where a member is gone, and ends where its reader has had enough', async () => {
    await writeFile(join(directory, 'file'), Buffer.alloc(1024 * 1024));
    const members: TreeMember[] = [];
    for await (const some of listMembers(directory)) members.push(...some);
    for await (const chunk of archiveTree(directory, listMembers(directory))) {
      expect(chunk.length).to.be.greaterThan(0);
      break;
    }
    await rm(join(directory, 'file'));
    async function* gone(): AsyncGenerator<TreeMember[]> {
      yield await Promise.resolve(members);
    }
    expect(await archive(gone()).catch((error: unknown) => error)).to.have.property('code', 'SourceNotReadable');
  });
});
