import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { ByteReader } from '../../../src/base/bytes.ts';
import { decompress, decompressAll } from '../../../src/codec/decompress/decompress.ts';
import { liblzma } from '../../../src/codec/native/liblzma.ts';
import { zstdStream } from '../../../src/codec/native/libzstd.ts';
import { windowMemory } from '../../../src/codec/native/window-memory.ts';
import { eventually } from '../../support/eventually.ts';
import { rejection } from '../../support/rejection.ts';
import { collect, lend } from '../../unit/base/streams.ts';

const MEBIBYTE = 1024 * 1024;
/** As much as keeps an outer decoder at work while those within it have begun. */
const disk = randomBytes(16 * MEBIBYTE);

const run = (program: string, args: string[], input: Buffer): Buffer =>
  execFileSync(program, args, { input, maxBuffer: 2 ** 28 });
/** Takes 64 MiB and a little to decompress. */
const xz = (input: Buffer): Buffer => run('xz', ['-T1', '--lzma2=preset=0,dict=64MiB,mf=hc3,nice=5,depth=1'], input);
/** Takes 128 MiB. */
const zstd = (input: Buffer): Buffer => run('zstd', ['-1', '--long=27', '-c'], input);
const blocks = (input: Buffer): Buffer => run('xz', ['-0', '-T2', '--block-size=300000'], input);

const pieces = (bytes: Buffer) => lend(bytes, Array<number>(Math.ceil(bytes.length / 70_000)).fill(70_000));

async function decompressed(bytes: Buffer): Promise<Buffer> {
  const { reader } = await decompressAll(new ByteReader(pieces(bytes)));
  try {
    return await collect(reader.rest());
  } finally {
    await reader.close();
  }
}

describe('compressions in each other', () => {
  before(function () {
    if (liblzma === null || zstdStream === null || windowMemory.limit < 224 * MEBIBYTE) this.skip();
  });

  const allIsGivenBack = () => eventually('all memory has been given back', () => windowMemory.used === 0);

  afterEach(allIsGivenBack);

  it('share their memory', async function () {
    this.timeout(0);
    const dictionary = xz(disk);
    for (const bytes of [zstd(dictionary), xz(gzipSync(dictionary, { level: 1 })), zstd(blocks(disk))]) {
      expect((await decompressed(bytes)).equals(disk)).to.equal(true);
      await allIsGivenBack();
    }
  });

  it('are refused where they would take more than all may have', async function () {
    this.timeout(0);
    const dictionary = xz(disk);
    for (const bytes of [zstd(zstd(disk)), zstd(xz(dictionary))]) {
      const error = await rejection(decompressed(bytes));
      expect(error).to.have.property('code', 'UnsupportedImage');
      expect(error)
        .to.have.property('message')
        .that.matches(/takes more memory than allowed/);
      await allIsGivenBack();
    }
  });

  it('share it without native libraries, too', async () => {
    const twice = zstd(zstd(disk));
    const outer = decompress('zstd', pieces(twice), false);
    const error = await rejection(collect(decompress('zstd', outer, false)));
    expect(error).to.have.property('code', 'UnsupportedImage');
    await allIsGivenBack();
    expect((await collect(decompress('zstd', pieces(zstd(disk)), false))).equals(disk)).to.equal(true);
  });
});
