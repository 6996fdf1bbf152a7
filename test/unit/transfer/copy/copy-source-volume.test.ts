import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { ToldRanges } from '../../../../src/transfer/copy/allocated-disk.ts';
import type { TargetState } from '../../../../src/transfer/copy/copy-protocol.ts';
import { type CloneContent, prepareContent } from '../../../../src/transfer/copy/copy-source-volume.ts';

const MEBIBYTE = 1024 * 1024;
const SIZE = 8 * MEBIBYTE;
const told = (offset: number, length: number, capacity = SIZE): ToldRanges => ({
  capacity,
  ranges: [{ offset, length }],
});

describe('what is sent of a device', () => {
  let directory: string;
  let path: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'diskpress-source-'));
    path = join(directory, 'device');
    await writeFile(path, Buffer.alloc(SIZE).fill(1, MEBIBYTE, 2 * MEBIBYTE));
  });

  afterEach(async () => {
    await rm(directory, { recursive: true });
  });

  const prepare = (
    lists: { changed?: ToldRanges; allocation?: ToldRanges | 'wrong' },
    state: Partial<TargetState> = {},
  ): Promise<CloneContent> =>
    prepareContent(
      { volumeMode: 'Block', path, ...lists },
      { volumeMode: 'Block', ...state, transfer: 'a transfer', arrivedFiles: () => Promise.resolve(Buffer.alloc(0)) },
    );

  it('is all of it once the list of what is allocated was found to be wrong, whatever another sample shows', async () => {
    const { offer } = await prepare({ allocation: told(4 * MEBIBYTE, MEBIBYTE) });
    expect(offer.allocation).to.equal('wrong');
    const good = told(MEBIBYTE, MEBIBYTE);
    const arrived = { contentId: offer.contentId, from: 4 * MEBIBYTE };
    const again = await prepare({ allocation: good }, { arrived });
    expect(again.offer).to.deep.equal({ ...offer, from: 4 * MEBIBYTE });
    expect((await prepare({ allocation: good })).offer.allocation).to.equal('used');
    expect((await prepare({ allocation: 'wrong' })).offer).to.deep.equal(offer);
  });

  it('is what has changed only while nothing else has begun to replace the base', async () => {
    const lists = { changed: told(MEBIBYTE, MEBIBYTE), allocation: told(4 * MEBIBYTE, MEBIBYTE) };
    const { offer: whole } = await prepare(lists, { holdsBase: false });
    expect(whole.allocation).to.equal('wrong');
    const { offer: changed } = await prepare(lists, { holdsBase: true });
    expect(changed).not.to.have.property('allocation');
    for (const { contentId } of [whole, { contentId: 'a'.repeat(64) }]) {
      const { offer } = await prepare(lists, { holdsBase: true, arrived: { contentId, from: 0 } });
      expect(offer).to.deep.equal(whole);
    }
    const arrived = { contentId: changed.contentId, from: MEBIBYTE };
    expect((await prepare(lists, { holdsBase: true, arrived })).offer).to.deep.equal({ ...changed, from: MEBIBYTE });
  });

  it('has changed beyond the end that the driver knows of', async () => {
    const idFor = async (changed: ToldRanges): Promise<string> =>
      (await prepare({ changed }, { holdsBase: true })).offer.contentId;
    const longer = {
      capacity: SIZE,
      ranges: [
        { offset: MEBIBYTE, length: MEBIBYTE },
        { offset: 6 * MEBIBYTE, length: 2 * MEBIBYTE },
      ],
    };
    expect(await idFor(told(MEBIBYTE, MEBIBYTE, 6 * MEBIBYTE))).to.equal(await idFor(longer));
    // That list is of another disk.
    expect(await idFor(told(MEBIBYTE, MEBIBYTE, 2 * SIZE))).to.equal((await prepare({})).offer.contentId);
  });
});
