import { mkdtemp, open, readFile, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { alignableLength, alignedPart } from '../../../src/base/native/aligned-memory.ts';
import { Progress } from '../../../src/base/progress.ts';
import { dataRuns, isZero } from '../../../src/base/zeros.ts';
import { CoalescingWriter } from '../../../src/sink/coalescing-writer.ts';
import { FileSink } from '../../../src/sink/file-sink.ts';
import { RangeSet } from '../../../src/sink/range-set.ts';

const MEBIBYTE = 1024 * 1024;

describe('zeros', () => {
  it('leaves out blocks of zeros and nothing else', () => {
    const pieces = fc.array(fc.record({ length: fc.integer({ min: 1, max: 60_000 }), zero: fc.boolean() }), {
      maxLength: 12,
    });
    fc.assert(
      fc.property(pieces, (list) => {
        const bytes = Buffer.concat(list.map(({ length, zero }) => Buffer.alloc(length, zero ? 0 : 7)));
        const copy = Buffer.alloc(bytes.length);
        let last = 0;
        for (const [start, end] of dataRuns(bytes)) {
          expect(start).to.be.at.least(last);
          expect(end).to.be.greaterThan(start);
          bytes.copy(copy, start, start, end);
          last = end;
        }
        expect(copy.equals(bytes)).to.equal(true);
      }),
    );
    expect(dataRuns(Buffer.alloc(MEBIBYTE))).to.deep.equal([]);
    const lonely = Buffer.alloc(MEBIBYTE);
    lonely[500_000] = 1;
    expect(dataRuns(lonely)).to.deep.equal([[499_712, 503_808]]);
  });

  it('tells whether all is zero', () => {
    expect(isZero(Buffer.alloc(100_000))).to.equal(true);
    expect(isZero(Buffer.concat([Buffer.alloc(99_999), Buffer.from([1])]))).to.equal(false);
  });
});

describe('RangeSet', () => {
  it('knows exactly what is missing', () => {
    const ranges = fc.array(fc.tuple(fc.nat(200), fc.nat(40)), { maxLength: 30 });
    fc.assert(
      fc.property(ranges, (list) => {
        const set = new RangeSet();
        const covered = new Set<number>();
        for (const [start, length] of list) {
          set.add(start, start + length);
          for (let at = start; at < start + length; at += 1) covered.add(at);
        }
        const missing: number[] = [];
        for (const { start, end } of set.gaps(220)) for (let at = start; at < end; at += 1) missing.push(at);
        expect(missing).to.deep.equal(Array.from({ length: 220 }, (_, at) => at).filter((at) => !covered.has(at)));
      }),
    );
  });
});

describe('sinks', () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'diskpress-sinks-'));
  });

  afterEach(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  it('goes on with a file that it has left unfinished, and with no other', async () => {
    const path = join(directory, 'disk.img');
    const begun = new FileSink({ path, preallocation: false }, new Progress());
    await begun.begin(4 * MEBIBYTE);
    await begun.write({ offset: MEBIBYTE, data: Buffer.from('first') });
    const unfinished = await begun.checkpoint();
    await begun.suspend();

    const other = join(directory, 'other.img');
    await writeFile(other, await readFile(path));
    const wrong = new FileSink({ path: other, preallocation: false }, new Progress());
    expect(await wrong.resume(unfinished, 4 * MEBIBYTE)).to.equal(false);
    await wrong.suspend();

    const sink = new FileSink({ path, preallocation: false }, new Progress());
    expect(await sink.resume(unfinished, 4 * MEBIBYTE)).to.equal(true);
    expect((await sink.read(MEBIBYTE, 5)).toString()).to.equal('first');
    await sink.write({ offset: MEBIBYTE + 5, data: Buffer.from(' second') });
    await sink.finish(4 * MEBIBYTE);
    expect((await readFile(path)).subarray(MEBIBYTE, MEBIBYTE + 12).toString()).to.equal('first second');
    expect((await stat(path)).size).to.equal(4 * MEBIBYTE);
  });

  it('writes what lies scattered within a MiB, and nothing between', async () => {
    const path = join(directory, 'file');
    const expected = Buffer.alloc(3 * MEBIBYTE, 'old');
    await writeFile(path, expected);
    const file = await open(path, 'r+');
    const writer = new CoalescingWriter(file, new Progress());
    const extents: [offset: number, length: number][] = [
      [4096, 65_536],
      [200_704, 4096],
      [300_001, 77],
      [MEBIBYTE - 5000, 9000],
      [MEBIBYTE + 8192, 4096],
      [MEBIBYTE + 4096, 100],
      [2 * MEBIBYTE, MEBIBYTE],
    ];
    for (const [index, [offset, length]] of extents.entries()) {
      expected.fill(index + 1, offset, offset + length);
      await writer.write({ offset, data: Buffer.alloc(length, index + 1) });
    }
    await writer.flush();
    await writer.settle();
    await file.close();
    expect((await readFile(path)).equals(expected)).to.equal(true);
  });

  it('writes extents in any order, and does not need their memory afterwards', async () => {
    const path = join(directory, 'file');
    const file = await open(path, 'w+');
    await file.truncate(8 * MEBIBYTE);
    const writer = new CoalescingWriter(file, new Progress());
    const expected = Buffer.alloc(8 * MEBIBYTE);
    const lent = Buffer.alloc(700_000);
    for (const [index, offset] of [5_000_000, 100, 700_100, 1_400_100, 3_000_000, 2_200_000].entries()) {
      lent.fill(index + 1);
      lent.copy(expected, offset);
      await writer.write({ offset, data: lent });
    }
    lent.fill(0xff);
    await writer.flush();
    expect(writer.memory.most).to.be.within(MEBIBYTE, 4 * (MEBIBYTE + 4096));
    await writer.settle();
    expect(writer.memory.size).to.equal(0);
    await file.close();
    expect((await readFile(path)).equals(expected)).to.equal(true);
  });

  it('writes several extents from where they are, and says until when it needs them', async () => {
    const path = join(directory, 'file');
    const file = await open(path, 'w+');
    await file.truncate(8 * MEBIBYTE);
    const writer = new CoalescingWriter(file, new Progress());
    let kept = 0;
    for (let index = 0; index < 8; index += 1) {
      const data = alignedPart(new ArrayBuffer(alignableLength(MEBIBYTE)), MEBIBYTE).fill(index + 1);
      const keepUntil = (settled: Promise<unknown>): void => {
        kept += 1;
        void settled.then(() => data.fill(0xff));
      };
      await writer.write({ offset: index * MEBIBYTE, data, keepUntil });
    }
    await writer.flush();
    await writer.settle();
    await file.close();
    const written = await readFile(path);
    for (let at = 0; at < written.length; at += 4096) expect(written[at]).to.equal(Math.floor(at / MEBIBYTE) + 1);
    // Only where the address of memory can be told, data is written from where it is.
    expect(kept).to.be.oneOf([0, 8]);
  });

  it('tells a later caller that an extent was not written', async () => {
    const path = join(directory, 'file');
    await writeFile(path, '');
    const file = await open(path, 'r');
    const writer = new CoalescingWriter(file, new Progress(), {
      onWritten: () => {
        throw new Error('the device is gone');
      },
    });
    const data = alignedPart(new ArrayBuffer(alignableLength(MEBIBYTE)), MEBIBYTE).fill(1);
    await writer.write({ offset: 0, data, keepUntil: () => undefined });
    const failure = await writer.flush().catch((error: unknown) => error);
    expect(failure).to.be.an('error');
    await writer.settle();
    await file.close();
  });

  it('does not finish after a sync that has failed, though the next one succeeds', async () => {
    const file = await open(join(directory, 'file'), 'w+');
    const datasync = file.datasync.bind(file);
    const lost = new Error('a write was lost');
    const outcomes = [() => Promise.reject(lost), datasync, datasync];
    file.datasync = () => (outcomes.shift() ?? datasync)();
    const writer = new CoalescingWriter(file, new Progress());
    await writer.write({ offset: 0, data: Buffer.alloc(5, 1) });
    for (let attempt = 0; attempt < 2; attempt += 1) {
      expect(await writer.flush().catch((error: unknown) => error)).to.equal(lost);
    }
    await writer.settle();
    await file.close();
  });

  it('grows a disk to the usable part of its volume, and refuses what does not fit', async () => {
    const volume = { capacity: 10 * MEBIBYTE, filesystemOverhead: 0.1 };
    const sink = new FileSink({ path: join(directory, 'disk.img'), preallocation: false, volume }, new Progress());
    await sink.begin(1000);
    expect(await sink.finish(1000)).to.deep.equal({ size: 9 * MEBIBYTE, preallocated: false });
    expect((await stat(sink.path)).size).to.equal(9 * MEBIBYTE);
    const error = await sink.begin(Math.floor((10 * MEBIBYTE) / 1.1) + 1).catch((reason: unknown) => reason);
    expect(error).to.include({ code: 'ImageTooLarge', permanent: true });
    await sink.abandon();
  });

  it('takes a disk of just the size that was asked for, whatever size that is', async () => {
    for (const size of [1_000_000_001, 1_000_000_000, 513, 4097, MEBIBYTE + 1]) {
      const volume = { capacity: size, filesystemOverhead: 0 };
      const sink = new FileSink({ path: join(directory, 'disk.img'), preallocation: false, volume }, new Progress());
      await sink.begin(size);
      expect(await sink.finish(size)).to.include({ size });
      const error = await sink.begin(size + 1).catch((reason: unknown) => reason);
      expect(error).to.include({ code: 'ImageTooLarge' });
      await sink.abandon();
    }
  });

  it('says what the file system has taken where that is why a disk does not fit', async () => {
    const { bavail, bsize } = await statfs(directory);
    const capacity = 2 * bavail * bsize;
    const volume = { capacity, filesystemOverhead: 0.06 };
    const sink = new FileSink({ path: join(directory, 'disk.img'), preallocation: false, volume }, new Progress());
    const error = await sink.begin(capacity - MEBIBYTE).catch((reason: unknown) => reason);
    expect(error).to.include({ code: 'ImageTooLarge' });
    expect(error)
      .to.have.property('message')
      .that.matches(/has room for .*, as the file system itself has taken .* of the volume: request a larger volume/);
    await sink.abandon();
  });

  it('takes a disk that needs the overhead where that is but a reserve', async () => {
    const volume = { capacity: 10 * MEBIBYTE, filesystemOverhead: 0.1 };
    const options = { path: join(directory, 'disk.img'), preallocation: false, volume, overheadIsReserve: true };
    const sink = new FileSink(options, new Progress());
    await sink.begin(10 * MEBIBYTE);
    expect(await sink.finish(10 * MEBIBYTE)).to.include({ size: 10 * MEBIBYTE });
    const error = await sink.begin(10 * MEBIBYTE + 1).catch((reason: unknown) => reason);
    expect(error).to.include({ code: 'ImageTooLarge', permanent: true });
    await sink.abandon();
  });

  it('says that there is no room for what is to be preallocated', async function () {
    // In memory, this fails at once.
    const { blocks, bsize } = await statfs('/dev/shm').catch(() => this.skip());
    const path = join(await mkdtemp('/dev/shm/diskpress-'), 'disk.img');
    try {
      const sink = new FileSink({ path, preallocation: true }, new Progress());
      const error = await sink.begin(blocks * bsize + MEBIBYTE).catch((reason: unknown) => reason);
      expect(error).to.include({ code: 'NoSpace', permanent: true });
      await sink.abandon();
    } finally {
      await rm(dirname(path), { recursive: true });
    }
  });

  it('says that a target cannot be written', async () => {
    const sink = new FileSink({ path: join(directory, 'missing', 'disk.img'), preallocation: false }, new Progress());
    const error = await sink.begin(1000).catch((reason: unknown) => reason);
    expect(error).to.include({ code: 'TargetNotWritable', permanent: true });
  });
});
