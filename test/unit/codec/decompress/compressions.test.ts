import { execFileSync } from 'node:child_process';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { expect } from 'chai';
import { recogniseCompression } from '../../../../src/codec/decompress/compression.ts';
import { decompress } from '../../../../src/codec/decompress/decompress.ts';
import { type Compression, compressionNamed, compressions } from '../../../../src/codec/decompress/drivers.ts';
import { refuseHiddenCoding } from '../../../../src/transfer/content-coding.ts';
import { collect, lend } from '../../base/streams.ts';

describe('the table of compressions', () => {
  const content = Buffer.alloc(100_000, 'what is compressed, ');
  const compressed: Record<Compression, () => Buffer> = {
    gzip: () => gzipSync(content),
    zstd: () => zstdCompressSync(content),
    xz: () => execFileSync('xz', ['--compress', '--stdout'], { input: content }),
    bzip2: () => execFileSync('bzip2', ['--compress', '--stdout'], { input: content }),
  };

  for (const { name } of compressions) {
    it(`tells ${name} by its start, and by no other one's, and takes it off with and without a native library`, async () => {
      const bytes = compressed[name]();
      expect(compressionNamed(name).name).to.equal(name);
      expect(compressions.filter(({ beginsIn }) => beginsIn(bytes)).map((driver) => driver.name)).to.deep.equal([name]);
      expect(recogniseCompression(bytes.subarray(0, 16))).to.equal(name);
      for (const natively of [true, false]) {
        expect((await collect(decompress(name, lend(bytes, [1000]), natively))).equals(content)).to.equal(true);
      }
    });
  }

  it('tells which content codings the content shows', () => {
    const opened = (encoding: string) => ({
      bytes: lend(content, []),
      size: undefined,
      mediaType: undefined,
      encoding,
    });
    for (const coding of ['gzip', 'X-GZIP', 'zstd', 'identity', 'aws-chunked,gzip', '']) {
      refuseHiddenCoding(opened(coding), 'x');
    }
    for (const coding of ['br', 'deflate', 'gzip, br', 'compress', 'xz']) {
      expect(() => refuseHiddenCoding(opened(coding), 'x'), coding)
        .to.throw(/Content-Encoding/)
        .with.property('code', 'UnsupportedImage');
    }
  });
});
