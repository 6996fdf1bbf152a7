import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { TransferError } from '../../../../src/base/errors.ts';
import { Progress } from '../../../../src/base/progress.ts';
import { FileSink } from '../../../../src/sink/file-sink.ts';
import { FileCheckpointStore } from '../../../../src/transfer/checkpoint/file-store.ts';
import { importDisk } from '../../../../src/transfer/disk/import-disk.ts';
import { contentOf, generatedParts, mapOf } from '../../../support/generated-disk.ts';
import { MemoryDisk, type MemoryDiskOptions } from '../../../support/memory-disk.ts';
import { rejection } from '../../../support/rejection.ts';

const KIBIBYTE = 1024;
const MEBIBYTE = 1024 * KIBIBYTE;
const parts = generatedParts(['data', 'zeros']);

describe('import of a disk in ranges', () => {
  let directory: string;
  let path: string;
  let steps: string[];
  let progress: Progress;

  const attempt = (
    disk: MemoryDisk,
    signal?: AbortSignal,
    volume?: { capacity: number; filesystemOverhead: number },
  ) => {
    steps = [];
    progress = new Progress((step) => steps.push(step));
    return importDisk({
      disk,
      sink: new FileSink({ path, preallocation: false, ...(volume && { volume }) }, progress),
      progress,
      signal,
      checkpoints: { store: new FileCheckpointStore(`${path}.checkpoint`), interval: 0 },
    });
  };
  /** A disk of data only, in which zeros are unlikely. */
  const fullDisk = (size: number, options: MemoryDiskOptions = {}): { disk: MemoryDisk; content: Buffer } => {
    const full = [{ sectors: size / 512, content: 'data', isBlank: false } as const];
    const content = contentOf(full);
    return { content, disk: new MemoryDisk(content, mapOf(full), options) };
  };

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'diskpress-import-disk-'));
    path = join(directory, 'disk.img');
  });

  afterEach(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  it('gives the same disk, whatever its ranges are, and reads its data once and nothing else', async () => {
    const options = fc.record({
      concurrency: fc.integer({ min: 1, max: 8 }),
      largestRead: fc.constantFrom(512, 4096, 100 * KIBIBYTE, 8 * MEBIBYTE),
    });
    await fc.assert(
      fc.asyncProperty(parts, options, async (list, served) => {
        const content = contentOf(list);
        const disk = new MemoryDisk(content, mapOf(list), served);
        const image = await attempt(disk);
        expect(image).to.deep.equal({
          format: 'raw',
          virtualSize: content.length,
          diskSize: content.length,
          preallocated: false,
        });
        expect((await readFile(path)).equals(content)).to.equal(true);
        expect(disk.bytesRead).to.equal(disk.dataLength);
        expect(disk.mostReads).to.be.at.most(served.concurrency);
        expect(disk.outcomes).to.deep.equal(['complete']);
        expect(progress.snapshot()).to.include({
          bytesRead: disk.dataLength,
          bytesTotal: disk.dataLength,
          percent: 100,
        });
        expect(await readdir(directory)).to.deep.equal(['disk.img']);
      }),
      { numRuns: 40 },
    );
  });

  it('goes on where it was stopped, however often', async () => {
    const reads = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(parts, reads, async (list, lifetimes) => {
        await rm(path, { force: true });
        const content = contentOf(list);
        for (const lifetime of [...lifetimes, Infinity]) {
          const stopping = new AbortController();
          const onRead = (count: number): void => {
            if (count >= lifetime) stopping.abort(new TransferError('Interrupted', 'told to stop'));
          };
          const disk = new MemoryDisk(content, mapOf(list), { largestRead: 32 * KIBIBYTE, onRead });
          const failure = await attempt(disk, stopping.signal).then(() => undefined, String);
          expect(disk.outcomes).to.deep.equal([failure === undefined ? 'complete' : 'incomplete']);
          if (failure === undefined) break;
          expect(failure).to.include('told to stop');
        }
        expect((await readFile(path)).equals(content)).to.equal(true);
        expect(await readdir(directory)).to.deep.equal(['disk.img']);
      }),
      { numRuns: 40 },
    );
  });

  it('does not read again what is durable, and tells so', async () => {
    const { disk: first, content } = fullDisk(4 * MEBIBYTE, {
      onRead: (count) => {
        if (count === 24) throw new TransferError('ConnectionLost', 'the network is away');
      },
    });
    expect(await rejection(attempt(first))).to.include({ code: 'ConnectionLost' });
    expect(await readdir(directory)).to.have.members(['disk.img', 'disk.img.checkpoint']);
    const second = new MemoryDisk(content, [{ offset: 0, length: content.length, content: 'data' }]);
    await attempt(second);
    expect(steps).to.include('resuming');
    expect(second.bytesRead).to.be.at.most(2 * MEBIBYTE);
    expect(progress.snapshot()).to.include({ bytesSkipped: 4 * MEBIBYTE - second.bytesRead, bytesTotal: 4 * MEBIBYTE });
    expect((await readFile(path)).equals(content)).to.equal(true);
  });

  it('starts over where the disk has changed', async () => {
    const stop = (count: number): void => {
      if (count === 24) throw new TransferError('ConnectionLost', 'the network is away');
    };
    await rejection(attempt(fullDisk(4 * MEBIBYTE, { onRead: stop }).disk));
    const { disk, content } = fullDisk(4 * MEBIBYTE, { version: '2' });
    await attempt(disk);
    expect(steps).to.include('starting over');
    expect((await readFile(path)).equals(content)).to.equal(true);
  });

  it('leaves nothing after a permanent failure', async () => {
    const { disk } = fullDisk(4 * MEBIBYTE, {
      onRead: (count) => {
        if (count === 24) throw new TransferError('Forbidden', 'the ticket is gone');
      },
    });
    expect(await rejection(attempt(disk))).to.include({ code: 'Forbidden' });
    expect(disk.outcomes).to.deep.equal(['incomplete']);
    expect(await readdir(directory)).to.deep.equal([]);
  });

  it('refuses a disk that is too large before anything is read', async () => {
    const { disk } = fullDisk(4 * MEBIBYTE);
    const failure = await rejection(attempt(disk, undefined, { capacity: 3 * MEBIBYTE, filesystemOverhead: 0 }));
    expect(failure).to.include({ code: 'ImageTooLarge' });
    expect(disk.bytesRead).to.equal(0);
    expect(disk.outcomes).to.deep.equal(['incomplete']);
  });

  it('does not wait for a read that never ends when it is told to stop', async () => {
    const stopping = new AbortController();
    const { disk } = fullDisk(MEBIBYTE, {
      onRead: async (count) => {
        if (count === 4) stopping.abort(new TransferError('Interrupted', 'told to stop'));
        await new Promise(() => {});
      },
    });
    expect(await rejection(attempt(disk, stopping.signal))).to.include({ code: 'Interrupted' });
    expect(disk.outcomes).to.deep.equal(['incomplete']);
  });

  it('reads as much at the same time as the disk allows', async () => {
    const { disk } = fullDisk(4 * MEBIBYTE, { concurrency: 5 });
    await attempt(disk);
    expect(disk.mostReads).to.equal(5);
  });

  it('refuses ranges that leave something out', async () => {
    const content = Buffer.alloc(MEBIBYTE, 'data');
    const half = MEBIBYTE / 2;
    for (const map of [
      [{ offset: 0, length: half, content: 'data' } as const],
      [{ offset: half, length: half, content: 'data' } as const],
      [{ offset: 0, length: 2 * MEBIBYTE, content: 'data' } as const],
    ]) {
      expect(await rejection(attempt(new MemoryDisk(content, map)))).to.include({ code: 'ProtocolViolation' });
    }
  });

  it('does not fail because the other system is not told of the end', async () => {
    const { disk, content } = fullDisk(MEBIBYTE);
    disk.close = async () => {
      throw new TransferError('ConnectionLost', 'the engine is away');
    };
    await attempt(disk);
    expect(steps).to.include('source not closed');
    expect((await readFile(path)).equals(content)).to.equal(true);
    expect((await stat(path)).size).to.equal(MEBIBYTE);
  });
});
