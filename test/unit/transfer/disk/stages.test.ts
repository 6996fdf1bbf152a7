import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { TransferError } from '../../../../src/base/errors.ts';
import { Progress } from '../../../../src/base/progress.ts';
import { FileSink } from '../../../../src/sink/file-sink.ts';
import { FileCheckpointStore } from '../../../../src/transfer/checkpoint/file-store.ts';
import { importDisk } from '../../../../src/transfer/disk/import-disk.ts';
import type { Stage } from '../../../../src/transfer/disk/stage.ts';
import { contentOf, type GeneratedPart, generatedParts, mapOf } from '../../../support/generated-disk.ts';
import { MemoryDisk, type MemoryDiskOptions } from '../../../support/memory-disk.ts';
import { rejection } from '../../../support/rejection.ts';

const MEBIBYTE = 1024 * 1024;
const SECTOR = 512;
const volume = { capacity: 16 * MEBIBYTE, filesystemOverhead: 0 };

/** Parts of a disk that is not smaller than it was before. */
function atLeast(size: number, parts: readonly GeneratedPart[]): GeneratedPart[] {
  const sectors = parts.reduce((sum, part) => sum + part.sectors, 0);
  const missing = size / SECTOR - sectors;
  return missing <= 0 ? [...parts] : [...parts, { sectors: missing, content: 'unchanged', isBlank: false }];
}

describe('import of a disk in stages', () => {
  let directory: string;
  let path: string;
  let steps: string[];
  let progress: Progress;
  const full = (mebibytes: number): GeneratedPart => ({
    sectors: (mebibytes * MEBIBYTE) / SECTOR,
    content: 'data',
    isBlank: false,
  });
  const unchanged = (mebibytes: number): GeneratedPart => ({ ...full(mebibytes), content: 'unchanged' });

  const attempt = (disk: MemoryDisk, stage: Stage | undefined, signal?: AbortSignal, preallocation = false) => {
    steps = [];
    progress = new Progress((step) => steps.push(step));
    return importDisk({
      disk,
      stage,
      sink: new FileSink({ path, preallocation, volume, keepsDiskSize: stage?.isFinal === false }, progress),
      progress,
      signal,
      checkpoints: { store: new FileCheckpointStore(`${path}.checkpoint`), interval: 0 },
      stages: new FileCheckpointStore(`${path}.stage`),
    });
  };
  const stageOf = (number: number, last: number): Stage => ({
    previous: number === 0 ? '' : `s${number}`,
    current: `s${number + 1}`,
    isFinal: number === last,
  });
  const diskOf = (parts: readonly GeneratedPart[], content: Buffer, options: MemoryDiskOptions = {}): MemoryDisk =>
    new MemoryDisk(content, mapOf(parts), { largestRead: 64 * 1024, ...options });
  /** Carries out the first stage of a disk of data, and returns what it holds. */
  const begin = async (mebibytes = 2): Promise<Buffer> => {
    const parts = [full(mebibytes)];
    const content = contentOf(parts);
    await attempt(diskOf(parts, content, { snapshotNames: ['s1'] }), stageOf(0, 2));
    return content;
  };

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'diskpress-stages-'));
    path = join(directory, 'disk.img');
  });

  afterEach(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  it('holds the snapshot of each stage, whatever has changed and however often the stage was stopped', async () => {
    const stages = fc.tuple(
      generatedParts(['data', 'zeros']),
      fc.array(generatedParts(['data', 'zeros', 'unchanged']), { minLength: 1, maxLength: 3 }),
    );
    const stops = fc.array(fc.array(fc.integer({ min: 1, max: 10 }), { maxLength: 3 }), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(stages, stops, fc.boolean(), async ([first, later], lifetimes, preallocation) => {
        await rm(path, { force: true });
        let expected: Buffer = Buffer.alloc(0);
        for (const [number, generated] of [first, ...later].entries()) {
          const parts = number === 0 ? generated : atLeast(expected.length, generated);
          expected = contentOf(parts, expected);
          for (const lifetime of [...(lifetimes[number] ?? []), Infinity]) {
            const stopping = new AbortController();
            const onRead = (count: number): void => {
              if (count >= lifetime) stopping.abort(new TransferError('Interrupted', 'told to stop'));
            };
            const disk = diskOf(parts, expected, { version: `${number}`, onRead });
            const stage = stageOf(number, later.length);
            const failure = await attempt(disk, stage, stopping.signal, preallocation).then(() => undefined, String);
            if (failure === undefined) break;
            expect(failure).to.include('told to stop');
          }
          const content = await readFile(path);
          const isFinal = number === later.length;
          expect(content.length).to.equal(isFinal ? volume.capacity : expected.length);
          expect(content.subarray(0, expected.length).equals(expected)).to.equal(true);
          expect(await readdir(directory)).to.have.members(['disk.img', ...(isFinal ? [] : ['disk.img.stage'])]);
        }
      }),
      { numRuns: 20 },
    );
  });

  it('reads what has changed and nothing else, and tells the progress of that', async () => {
    const before = await begin(8);
    const parts = [unchanged(3), full(1), unchanged(4)];
    const disk = diskOf(parts, contentOf(parts, before));
    await attempt(disk, stageOf(1, 2));
    expect(disk.bytesRead).to.equal(MEBIBYTE);
    expect(progress.snapshot()).to.include({ bytesTotal: MEBIBYTE, bytesRead: MEBIBYTE, bytesWritten: MEBIBYTE });
  });

  it('gives back the storage of what has become zeros, unless it is reserved', async () => {
    for (const preallocation of [false, true]) {
      const parts = [full(8)];
      await attempt(diskOf(parts, contentOf(parts)), stageOf(0, 2), undefined, preallocation);
      const zeros = [{ ...full(8), content: 'zeros' } as const];
      await attempt(diskOf(zeros, Buffer.alloc(8 * MEBIBYTE)), stageOf(1, 2), undefined, preallocation);
      expect((await readFile(path)).equals(Buffer.alloc(8 * MEBIBYTE))).to.equal(true);
      const { blocks } = await stat(path);
      if (preallocation) expect(blocks * SECTOR).to.be.at.least(8 * MEBIBYTE);
      else expect(blocks).to.equal(0);
    }
  });

  it('is content with a stage that is repeated, and reads nothing for it', async () => {
    const before = await begin();
    const parts = [full(1), unchanged(1)];
    const content = contentOf(parts, before);
    await attempt(diskOf(parts, content), stageOf(1, 2));
    const again = diskOf(parts, content);
    await attempt(again, stageOf(1, 2));
    expect(again.bytesRead).to.equal(0);
    expect(steps).to.include('stage is complete');
    const first = diskOf([full(2)], contentOf([full(2)]));
    await attempt(first, stageOf(0, 2));
    expect(first.bytesRead, 'an earlier stage').to.equal(2 * MEBIBYTE);
  });

  it('repeats a final stage of which nobody has heard the end', async () => {
    const before = await begin();
    const parts = [full(1), unchanged(1)];
    const content = contentOf(parts, before);
    for (let times = 0; times < 2; times += 1) {
      const image = await attempt(diskOf(parts, content), stageOf(1, 1));
      expect(image).to.include({ virtualSize: content.length, diskSize: volume.capacity });
      expect((await readFile(path)).subarray(0, content.length).equals(content)).to.equal(true);
    }
  });

  it('does not take a disk of which nothing is known for one that a final stage is for', async () => {
    const before = await begin();
    const parts = [full(1), unchanged(1)];
    const content = contentOf(parts, before);
    await attempt(diskOf(parts, content), stageOf(1, 1));
    const other = await readFile(path);
    other[MEBIBYTE / 2] = (other[MEBIBYTE / 2] ?? 0) ^ 1;
    await writeFile(path, other);
    for (const [of, reads] of [
      [parts, content],
      [[unchanged(2)], other.subarray(0, content.length)],
    ] as const) {
      const failure = await rejection(attempt(diskOf([...of], reads), stageOf(1, 1)));
      expect(failure).to.include({ code: 'StageMismatch' });
      expect((await readFile(path)).equals(other)).to.equal(true);
    }
  });

  for (const code of ['ConnectionLost', 'NotFound'] as const) {
    it(`keeps what earlier stages brought after ${code}, says so, and goes on later`, async () => {
      const before = await begin(4);
      const parts = [unchanged(1), full(2), unchanged(1)];
      const content = contentOf(parts, before);
      const onRead = (count: number): void => {
        if (count === 20) throw new TransferError(code, 'the snapshot is away');
      };
      const failure = await rejection(attempt(diskOf(parts, content, { onRead }), stageOf(1, 2)));
      expect(failure).to.include({ code });
      expect(failure).to.have.property('message').that.includes('keeps what the stages up to s1 have brought');
      const after = await readFile(path);
      expect(after.subarray(0, MEBIBYTE).equals(before.subarray(0, MEBIBYTE))).to.equal(true);
      expect(after.subarray(3 * MEBIBYTE).equals(before.subarray(3 * MEBIBYTE))).to.equal(true);
      await attempt(diskOf(parts, content), stageOf(1, 2));
      expect((await readFile(path)).equals(content)).to.equal(true);
    });
  }

  it('refuses a stage that the target is not ready for, and leaves the target as it is', async () => {
    const mismatch = async (stage: Stage, size = 2): Promise<string> => {
      const parts = [full(size)];
      const disk = diskOf(parts, contentOf(parts));
      const failure = await rejection(attempt(disk, stage));
      expect(failure).to.include({ code: 'StageMismatch', permanent: true });
      expect(disk.bytesRead).to.equal(0);
      expect(disk.outcomes).to.deep.equal(['incomplete']);
      return (failure as TransferError).message;
    };
    expect(await mismatch(stageOf(1, 2))).to.include('has no record of any stage');
    expect(await mismatch(stageOf(1, 1))).to.include('has no record of any stage');
    expect(await readdir(directory)).to.deep.equal([]);
    const before = await begin();
    expect(await mismatch(stageOf(2, 3))).to.include('needs a target that holds s2, and the target holds s1');
    expect(await mismatch(stageOf(1, 2), 1)).to.include('a disk cannot shrink between stages');
    expect((await readFile(path)).equals(before)).to.equal(true);

    const broken = diskOf([full(2)], contentOf([full(2)]), {
      onRead: (count) => {
        if (count === 10) throw new TransferError('ConnectionLost', 'away');
      },
    });
    await rejection(attempt(broken, stageOf(1, 2)));
    const other = { previous: 's1', current: 'other', isFinal: false };
    expect(await mismatch(other)).to.include('the target holds s1 and parts of s2');
  });

  it('takes another stage in place of one of which nothing was written', async () => {
    const before = await begin();
    const broken = diskOf([full(2)], contentOf([full(2)]), {
      onRead: () => {
        throw new TransferError('NotFound', 'the snapshot is gone');
      },
    });
    await rejection(attempt(broken, stageOf(1, 2)));
    const parts = [unchanged(1), full(1)];
    const content = contentOf(parts, before);
    await attempt(diskOf(parts, content), { previous: 's1', current: 'other', isFinal: false });
    expect((await readFile(path)).equals(content)).to.equal(true);
  });

  it('refuses a disk that has outgrown its volume, and leaves the target as it is', async () => {
    const before = await begin();
    const parts = [unchanged(2), full(15)];
    const failure = await rejection(attempt(diskOf(parts, contentOf(parts, before)), stageOf(1, 2)));
    expect(failure).to.include({ code: 'ImageTooLarge' });
    expect((await readFile(path)).equals(before)).to.equal(true);
  });

  it('takes a whole disk or a first stage in place of what stages have left', async () => {
    await begin();
    const parts = [full(1)];
    const content = contentOf(parts);
    await attempt(diskOf(parts, content), undefined);
    expect((await readFile(path)).subarray(0, MEBIBYTE).equals(content)).to.equal(true);
    expect(await readdir(directory)).to.deep.equal(['disk.img']);
  });

  it('does not take a record that cannot be read for one', async () => {
    await begin();
    await writeFile(`${path}.stage`, '{}');
    const failure = await rejection(attempt(diskOf([full(2)], contentOf([full(2)])), stageOf(1, 2)));
    expect(failure).to.include({ code: 'StageMismatch' });
  });
});
