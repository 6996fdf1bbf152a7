import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { CheckpointTail } from '../../../../src/transfer/copy/copy-checkpoint.ts';
import { MISMATCHED_BASE, SPOILT_BASE } from '../../../../src/transfer/copy/copy-protocol.ts';

const MEBIBYTE = 1024 * 1024;
const contentId = 'a'.repeat(64);

describe('the checkpoint at the end of a device', () => {
  let folder: string;
  const device = (): string => join(folder, 'device');

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'checkpoint-'));
    await writeFile(device(), Buffer.alloc(MEBIBYTE));
  });

  afterEach(() => rm(folder, { recursive: true }));

  it('is read by whichever pod makes the same copy', async () => {
    await (await CheckpointTail.on(device(), 'one')).write({ contentId, from: 65_536 });
    expect(await (await CheckpointTail.on(device(), 'one')).read()).to.deep.equal({ contentId, from: 65_536 });
  });

  it('is none of another copy, whatever it says', async () => {
    await (await CheckpointTail.on(device(), 'one')).write({ contentId: MISMATCHED_BASE, from: 0 });
    expect(await (await CheckpointTail.on(device(), 'other')).read()).to.equal(undefined);
  });

  it('accuses nobody where it does not say whose it is, and still asks for the whole disk', async () => {
    for (const [written, read] of [
      [MISMATCHED_BASE, SPOILT_BASE],
      [SPOILT_BASE, SPOILT_BASE],
      [contentId, contentId],
    ]) {
      const text = JSON.stringify({ contentId: written, from: 0 });
      const planted = Buffer.from(
        `diskpress clone checkpoint 1\n${createHash('sha256').update(text).digest('hex')}\n${text}`,
      );
      const content = await readFile(device());
      content.fill(0, content.length - 65_536);
      planted.copy(content, content.length - 65_536);
      await writeFile(device(), content);
      expect((await (await CheckpointTail.on(device(), 'one')).read())?.contentId).to.equal(read);
    }
  });
});
