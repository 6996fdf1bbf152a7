import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { alignableLength, alignedPart } from '../../../src/base/native/aligned-memory.ts';
import { TargetFile } from '../../../src/sink/target-file.ts';

const BLOCK = 4096;
const SIZE = 64 * BLOCK;

describe('a target file', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'diskpress-target-'));
  });

  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  for (const directly of [true, false]) {
    it(`holds what was written, aligned or not, ${directly ? 'past' : 'through'} the page cache`, async () => {
      const place = fc.oneof(
        fc.nat(SIZE - 1),
        fc.nat(SIZE / BLOCK - 1).map((block) => block * BLOCK),
      );
      const writes = fc.array(fc.tuple(place, place, fc.integer({ min: 1, max: 255 })), { maxLength: 12 });
      await fc.assert(
        fc.asyncProperty(writes, async (list) => {
          const path = join(folder, 'disk.img');
          const file = await open(path, 'w+');
          await file.truncate(SIZE);
          const target = new TargetFile(file, directly);
          const memory = aligned(SIZE);
          const expected = Buffer.alloc(SIZE);
          for (const [one, other, value] of list) {
            const [start, end] = [Math.min(one, other), Math.max(one, other) + 1];
            memory.fill(value, start, end);
            expected.fill(value, start, end);
            await target.write(memory.subarray(start, end), start);
          }
          await target.sync();
          await target.close();
          await file.close();
          expect((await readFile(path)).equals(expected)).to.equal(true);
        }),
        { numRuns: 40 },
      );
    });
  }

  it('passes on why it cannot be written', async () => {
    const path = join(folder, 'disk.img');
    await (await open(path, 'w')).close();
    const file = await open(path, 'r');
    const target = new TargetFile(file, false);
    try {
      const failure = await target.write(aligned(BLOCK), 0).catch((error: unknown) => error);
      expect(failure).to.have.property('code', 'EBADF');
    } finally {
      await target.close();
      await file.close();
    }
  });
});

function aligned(length: number): Buffer {
  return alignedPart(new ArrayBuffer(alignableLength(length)), length);
}
