import { execFileSync } from 'node:child_process';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { expect } from 'chai';
import fc from 'fast-check';
import { TransferError } from '../../../src/base/errors.ts';
import type { Compression } from '../../../src/codec/decompress/compression.ts';
import { decompress } from '../../../src/codec/decompress/decompress.ts';
import { igzip } from '../../../src/codec/native/igzip.ts';
import { liblzma } from '../../../src/codec/native/liblzma.ts';
import { zstdStream } from '../../../src/codec/native/libzstd.ts';
import { eventually } from '../../support/eventually.ts';
import { rejection } from '../../support/rejection.ts';
import { collect, lend } from '../../unit/base/streams.ts';

const MEBIBYTE = 1024 * 1024;

const kinds = {
  gzip: { compress: (data: Buffer) => gzipSync(data), codec: igzip, slow: false },
  zstd: { compress: (data: Buffer) => zstdCompressSync(data), codec: zstdStream, slow: false },
  // Blocks so small that several threads have some.
  xz: {
    compress: (data: Buffer) =>
      execFileSync('xz', ['-0', '--block-size=300000', '-T2'], { input: data, maxBuffer: 2 ** 28 }),
    codec: liblzma,
    slow: true,
  },
} as const;

/** Text, random bytes and zeros, more than fits one chunk. */
const large = Buffer.concat([
  Buffer.alloc(MEBIBYTE + 17, 'the quick brown fox jumps over the lazy dog\n'),
  Buffer.from(Uint8Array.from({ length: MEBIBYTE }, (_, index) => (index * index * 7919) >>> 5)),
  Buffer.alloc(3 * MEBIBYTE),
  Buffer.from('the end'),
]);

async function decompressed(kind: Compression, compressed: Buffer, native: boolean, chunk: number): Promise<Buffer> {
  return collect(
    decompress(kind, lend(compressed, Array<number>(Math.ceil(compressed.length / chunk)).fill(chunk)), native),
  );
}

/** The bytes, or the code of the error. */
async function outcome(...parameters: Parameters<typeof decompressed>): Promise<string> {
  try {
    return (await decompressed(...parameters)).toString('base64');
  } catch (error) {
    if (error instanceof TransferError) return error.code;
    throw error;
  }
}

describe('decompressing a stream', function () {
  this.timeout(120_000);

  for (const [name, { compress, codec, slow }] of Object.entries(kinds)) {
    const kind = name as keyof typeof kinds;
    let compressed: Buffer;

    before(() => {
      compressed = compress(large);
    });

    it(`has the native library: ${kind}`, () => {
      expect(codec).not.to.equal(null);
    });

    for (const native of [true, false]) {
      const by = native ? 'natively' : 'otherwise';

      it(`gives back what was compressed, however it comes: ${kind}, ${by}`, async () => {
        for (const chunk of [MEBIBYTE, 64 * 1024, 1000]) {
          expect((await decompressed(kind, compressed, native, chunk)).equals(large)).to.equal(true);
        }
      });

      it(`goes on where one member follows another: ${kind}, ${by}`, async () => {
        const [first, second] = [Buffer.from('first'), Buffer.alloc(70_000, 'second')];
        const both = Buffer.concat([compress(first), compress(second), compress(Buffer.alloc(0))]);
        for (const chunk of [both.length, 7]) {
          const expected = Buffer.concat([first, second]);
          expect((await decompressed(kind, both, native, chunk)).equals(expected)).to.equal(true);
        }
      });

      it(`passes the failure of its input on: ${kind}, ${by}`, async () => {
        const failing = async function* () {
          yield compressed.subarray(0, 1000);
          throw new TransferError('ConnectionLost', 'the cable is cut');
        };
        const failure = await rejection(collect(decompress(kind, failing(), native)));
        expect(failure).to.have.property('code', 'ConnectionLost');
      });

      it(`closes its input when nobody wants more: ${kind}, ${by}`, async () => {
        let closed = false;
        const input = async function* () {
          try {
            for (;;) yield compressed;
          } finally {
            closed = true;
          }
        };
        const stream = decompress(kind, input(), native);
        await stream.next();
        await stream.return();
        await eventually('the input is closed', async () => closed);
      });
    }

    it(`comes to the same natively and otherwise, where data is cut or damaged: ${kind}`, async () => {
      const small = compress(large.subarray(0, 400_000));
      await fc.assert(
        fc.asyncProperty(fc.nat(small.length - 20), fc.nat(255), fc.boolean(), async (place, value, cut) => {
          // The magic has been seen before it comes to decompressing.
          const at = place + 12;
          const damaged = Buffer.from(cut ? small.subarray(0, at) : small);
          if (!cut) damaged[at] = value;
          expect(await outcome(kind, damaged, true, 5000)).to.equal(await outcome(kind, damaged, false, 5000));
        }),
        { numRuns: slow ? 25 : 150 },
      );
    });
  }

  for (const kind of ['gzip', 'zstd', 'xz'] as const) {
    it(`says that something else follows the data: ${kind}`, async () => {
      const whole = kinds[kind].compress(Buffer.from('content'));
      for (const rest of ['!', 'something of any length']) {
        const file = Buffer.concat([whole, Buffer.from(rest)]);
        for (const chunk of [file.length, 3]) {
          const failure = await rejection(decompressed(kind, file, true, chunk));
          expect(failure).to.include({ code: 'InvalidImage' });
          expect(failure).to.have.property('message').that.includes(`followed by something that is not ${kind}`);
        }
      }
    });
  }

  it('passes over zeros behind the last gzip member', async () => {
    const padded = Buffer.concat([gzipSync('content'), Buffer.alloc(5000)]);
    for (const native of [true, false]) {
      expect((await decompressed('gzip', padded, native, 512)).toString()).to.equal('content');
    }
  });
});
