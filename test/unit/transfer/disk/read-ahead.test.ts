import { expect } from 'chai';
import { Progress } from '../../../../src/base/progress.ts';
import { ReadAhead } from '../../../../src/transfer/disk/read-ahead.ts';
import { contentOf, mapOf } from '../../../support/generated-disk.ts';
import { MemoryDisk } from '../../../support/memory-disk.ts';

const MEBIBYTE = 1024 * 1024;

describe('data that is read ahead', () => {
  const full = [{ sectors: (20 * MEBIBYTE) / 512, content: 'data', isBlank: false } as const];
  const content = contentOf(full);
  const begin = (): ReadAhead => {
    const disk = new MemoryDisk(content, mapOf(full), { concurrency: 2, largestRead: MEBIBYTE });
    return new ReadAhead({ disk, from: 0, progress: new Progress() });
  };

  it('waits for memory while all of it is kept, and does not reuse any before', async () => {
    const readAhead = begin();
    const kept: { offset: number; data: Buffer; release: () => void }[] = [];
    let checked = 0;
    const releaseAll = (): void => {
      for (const { offset, data, release } of kept.splice(0)) {
        expect(data.equals(content.subarray(offset, offset + data.length))).to.equal(true);
        checked += data.length;
        release();
      }
    };
    for await (const { offset, data, keepUntil } of readAhead.pieces()) {
      if (data === undefined) continue;
      const { promise, resolve } = Promise.withResolvers<void>();
      keepUntil(promise);
      kept.push({ offset, data, release: resolve });
      // The next piece has to be asked for first.
      if (readAhead.memory.available === 0) setImmediate(releaseAll);
    }
    releaseAll();
    expect(checked).to.equal(content.length);
    expect(readAhead.memory.most).to.be.at.most(readAhead.memory.limit);
  });

  it('ends soon after a read has failed, though others go on and nobody waits for them', async () => {
    const onRead = (count: number): void => {
      if (count === 1) throw new Error('a part of the disk cannot be read');
    };
    const disk = new MemoryDisk(content, mapOf(full), { concurrency: 4, largestRead: MEBIBYTE, onRead });
    const readAhead = new ReadAhead({ disk, from: 0, progress: new Progress() });
    let failure: unknown;
    try {
      for await (const { data } of readAhead.pieces()) {
        expect(data).not.to.equal(undefined);
        for (let turns = 0; turns < 50; turns += 1) await new Promise(setImmediate);
      }
    } catch (error) {
      failure = error;
    }
    expect(failure).to.have.property('message', 'a part of the disk cannot be read');
    expect(disk.bytesRead).to.be.at.most(8 * MEBIBYTE);
    expect(readAhead.position).to.equal(0);
  });

  it('frees memory that is kept only when it is released, should nothing more be read', async () => {
    const readAhead = begin();
    const { promise, resolve } = Promise.withResolvers<void>();
    let data: Buffer | undefined;
    for await (const piece of readAhead.pieces()) {
      ({ data } = piece);
      piece.keepUntil(promise);
      break;
    }
    await new Promise(setImmediate);
    expect(data?.equals(content.subarray(0, MEBIBYTE))).to.equal(true);
    resolve();
    await new Promise(setImmediate);
    expect(data?.length).to.equal(0);
  });
});
