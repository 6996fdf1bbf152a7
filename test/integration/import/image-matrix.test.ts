import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { ByteReader } from '../../../src/base/bytes.ts';
import { RandomAccessNeeded } from '../../../src/base/errors.ts';
import type { DecodedDisk } from '../../../src/base/extents.ts';
import { Progress } from '../../../src/base/progress.ts';
import { decodeDisk, decodeRanges } from '../../../src/image/formats/decode.ts';
import { type DiskFormat, driverOf } from '../../../src/image/formats/drivers.ts';
import { FileSink } from '../../../src/sink/file-sink.ts';
import { FileSource } from '../../../src/source/kinds/file-source.ts';
import { importImage } from '../../../src/transfer/import/import-image.ts';
import { imageMatrix, type MatrixImage } from '../../image-matrix/index.ts';
import { run } from '../support/processes.ts';

/** DISKPRESS_MATRIX=all takes every image instead of some of each kind. */
const images = [...imageMatrix(process.env['DISKPRESS_MATRIX'] === 'all' ? 1 : 5)];

describe('images of all kinds read as qemu-img reads them', () => {
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'diskpress-matrix-'));
  });

  after(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  for (const image of images) {
    it(image.name, async () => {
      const path = join(folder, 'image');
      await image.make(folder, path);
      await run('qemu-img', [
        'convert',
        '-f',
        driverOf(image.format).qemuName,
        '-O',
        'raw',
        path,
        join(folder, 'expected'),
      ]);
      const expected = await readFile(join(folder, 'expected'));
      await expectImported(path, expected, image);
      await expectDecoded(path, expected, image);
      await rm(path);
    });
  }

  async function expectImported(path: string, expected: Buffer, image: MatrixImage): Promise<void> {
    const target = join(folder, 'imported');
    const progress = new Progress();
    const sink = new FileSink({ path: target, preallocation: false }, progress);
    const imported = await importImage({ source: new FileSource(path, progress), sink, progress });
    expect(imported).to.include({ format: image.format, virtualSize: expected.length });
    expect((await readFile(target)).equals(expected)).to.equal(true);
  }

  async function expectDecoded(path: string, expected: Buffer, image: MatrixImage): Promise<void> {
    const source = new FileSource(path, new Progress());
    try {
      const streamed = await streamedDisk(image.format, source).catch((error: unknown) => {
        if (error instanceof RandomAccessNeeded && image.streams !== true) return undefined;
        throw error;
      });
      if (streamed !== undefined) expect(streamed.equals(expected), 'from a stream').to.equal(true);
      const ranged = await decodeRanges(image.format, await source.openRanges());
      if (ranged !== undefined) expect((await written(ranged)).equals(expected), 'by ranges').to.equal(true);
    } finally {
      await source.close();
    }
  }
});

async function streamedDisk(format: DiskFormat, source: FileSource): Promise<Buffer> {
  const reader = new ByteReader((await source.open()).bytes);
  return written(await decodeDisk(format, reader, {}));
}

async function written({ virtualSize, extents }: DecodedDisk): Promise<Buffer> {
  const disk = Buffer.alloc(virtualSize ?? 0);
  for await (const { offset, data } of extents) {
    expect(offset + data.length).to.be.at.most(disk.length);
    data.copy(disk, offset);
  }
  return disk;
}
