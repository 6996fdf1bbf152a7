import { execFileSync } from 'node:child_process';
import { createCipheriv } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { TransferError } from '../../../src/base/errors.ts';
import { decompress } from '../../../src/codec/decompress/decompress.ts';
import { collect, lend } from '../../unit/base/streams.ts';

const KIBIBYTE = 1024;
/** Of a frame's descriptor: RFC 8878 section 3.1.1.1.1. */
const DESCRIPTOR = 4;
const HAS_DICTIONARY = 1;

/** With holes that are longer than a frame's window, and others that are not, and with repetitions from before them. */
const text = Buffer.alloc(3000, 'the quick brown fox jumps over the lazy dog\n');
const noise = Buffer.from(Uint8Array.from({ length: 5000 }, (_, index) => (index * index * 7919) >>> 5));
const disk = Buffer.concat([
  ...[text, Buffer.alloc(40 * KIBIBYTE), noise, Buffer.alloc(500), text],
  ...[Buffer.alloc(KIBIBYTE), Buffer.alloc(7 * KIBIBYTE, 1), noise, Buffer.alloc(100 * KIBIBYTE + 7)],
]);

/** Windows, and so blocks, of 1 KiB. What comes by a pipe has no size. */
function zstd(content: Buffer, ...options: string[]): Buffer {
  return execFileSync('zstd', ['-q', '-c', '--zstd=wlog=10', ...options], { input: content });
}

const withSize = `--stream-size=${disk.length}`;

/** The bytes, or the code of the error. */
async function outcome(compressed: Buffer, native: boolean, chunk = 64 * KIBIBYTE): Promise<string> {
  try {
    const lengths = Array<number>(Math.ceil(compressed.length / chunk)).fill(chunk);
    return (await collect(decompress('zstd', lend(compressed, lengths), native))).toString('base64');
  } catch (error) {
    if (error instanceof TransferError) return error.code;
    throw error;
  }
}

const frames = {
  'with size and checksum': zstd(disk, '--check', withSize),
  'with a checksum': zstd(disk, '--check'),
  'with a size': zstd(disk, '--no-check', withSize),
  'with neither': zstd(disk, '--no-check'),
};

/** Bytes that nobody is to decode, as RFC 8878 section 3.1.2 has them. */
function skippable(length: number): Buffer {
  const frame = Buffer.alloc(8 + length, 'skip');
  frame.writeUInt32LE(0x184d2a53, 0);
  frame.writeUInt32LE(length, 4);
  return frame;
}

/** Where the headers of a frame's runs of zeros are, but for the last block. */
function zeroRuns(frame: Buffer, headerLength: number): number[] {
  const runs: number[] = [];
  for (let at = headerLength; ;) {
    const header = frame.readUIntLE(at, 3);
    if ((header & 1) !== 0) return runs;
    const isRun = ((header >>> 1) & 3) === 1;
    if (isRun && frame[at + 3] === 0) runs.push(at);
    at += 3 + (isRun ? 1 : header >>> 3);
  }
}

describe('decompressing zstd', () => {
  for (const native of [true, false]) {
    const by = native ? 'natively' : 'otherwise';

    for (const [kind, frame] of Object.entries(frames)) {
      it(`gives back what was compressed, however it comes: ${kind}, ${by}`, async () => {
        for (const chunk of [frame.length, 100, 1]) {
          expect(await outcome(frame, native, chunk)).to.equal(disk.toString('base64'));
        }
      });
    }

    it(`gives back what refers to something before a hole: ${by}`, async () => {
      const block = 128 * KIBIBYTE;
      const unique = createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16)).update(Buffer.alloc(block));
      const content = Buffer.concat([
        ...[unique, Buffer.alloc(5 * block), unique, Buffer.alloc(block)],
        ...[unique.subarray(block / 2), Buffer.alloc(block / 2), text],
      ]);
      const frame = zstd(content, '-19', '--zstd=wlog=18', '--no-check');
      expect(frame).to.have.length.lessThan(2.2 * block);
      expect(await outcome(frame, native)).to.equal(content.toString('base64'));
    });

    it(`passes over frames that are to be skipped, and starts anew behind each: ${by}`, async () => {
      const several = Object.values(frames).flatMap((frame) => [skippable(70), frame, skippable(0)]);
      const expected = Buffer.concat(Object.values(frames).map(() => disk)).toString('base64');
      for (const chunk of [64 * KIBIBYTE, 7]) {
        expect(await outcome(Buffer.concat(several), native, chunk)).to.equal(expected);
      }
    });

    it(`finds out that the checksum of one of several frames is wrong: ${by}`, async () => {
      const damaged = Buffer.from(frames['with a checksum']);
      damaged[damaged.length - 1]! ^= 1;
      expect(await outcome(Buffer.concat([frames['with neither'], damaged]), native)).to.equal('InvalidImage');
      expect(await outcome(Buffer.concat([damaged, frames['with neither']]), native)).to.equal('InvalidImage');
    });

    it(`finds out that a hole is shorter than it was: ${by}`, async () => {
      for (const [kind, headerLength] of [
        ['with a checksum', 6],
        ['with a size', 10],
      ] as const) {
        const runs = zeroRuns(frames[kind], headerLength);
        expect(runs).to.have.length.greaterThan(100);
        const damaged = Buffer.from(frames[kind]);
        damaged[runs.at(-1)!]! ^= 8;
        expect(await outcome(damaged, native), kind).to.equal('InvalidImage');
      }
    });

    it(`refuses a hole in a block that is larger than blocks may be: ${by}`, async () => {
      const damaged = Buffer.from(frames['with neither']);
      damaged[zeroRuns(damaged, 6)[20]! + 1]! |= 0x80;
      expect(await outcome(damaged, native)).to.equal('InvalidImage');
    });

    it(`refuses what needs a dictionary: ${by}`, async () => {
      const plain = frames['with neither'];
      const damaged = Buffer.concat([plain.subarray(0, 6), Buffer.from([7]), plain.subarray(6)]);
      damaged[DESCRIPTOR]! |= HAS_DICTIONARY;
      expect(await outcome(damaged, native)).to.equal('UnsupportedImage');
    });

    it(`says which window it would need, where that is too large: ${by}`, async () => {
      for (const [log, size] of [
        [28, '256 MiB'],
        [29, '512 MiB'],
      ] as const) {
        const behindAnother = Buffer.concat([frames['with a checksum'], zstd(text, `--zstd=wlog=${log}`, '--ultra')]);
        const failure: unknown = await collect(decompress('zstd', lend(behindAnother, [1000]), native)).catch(
          (error: unknown) => error,
        );
        expect(failure).to.include({ code: 'UnsupportedImage' });
        expect((failure as Error).message).to.include(`needs a window of ${size}, and 128 MiB are the most here`);
      }
    });

    it(`refuses what is followed by something else: ${by}`, async () => {
      const followed = Buffer.concat([frames['with a checksum'], Buffer.from('something else')]);
      expect(await outcome(followed, native)).to.equal('InvalidImage');
    });
  }

  it('comes to the same natively and otherwise, where data is cut or damaged', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...Object.values(frames)),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        fc.nat(255),
        fc.boolean(),
        async (frame, share, value, cut) => {
          // The magic number has been seen before it comes to decompressing.
          const at = DESCRIPTOR + Math.floor(share * (frame.length - DESCRIPTOR));
          const damaged = Buffer.from(cut ? frame.subarray(0, at) : frame);
          if (!cut) damaged[at] = value;
          expect(await outcome(damaged, true)).to.equal(await outcome(damaged, false));
        },
      ),
      { numRuns: 400 },
    );
  });
});
