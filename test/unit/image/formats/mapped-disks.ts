import fc from 'fast-check';
import { ByteReader } from '../../../../src/base/bytes.ts';
import type { DecodedDisk } from '../../../../src/base/extents.ts';
import type { RangeReader } from '../../../../src/base/source.ts';
import { decodeDisk, decodeRanges } from '../../../../src/image/formats/decode.ts';
import type { DecodeOptions } from '../../../../src/image/formats/decode-options.ts';
import type { DiskFormat } from '../../../../src/image/formats/drivers.ts';
import { lend } from '../../base/streams.ts';

/** A disk of blocks of which some have data, which lie in a file in any order. */
export interface FragmentedDisk {
  disk: Buffer;
  /** The blocks that have a place in the file. */
  order: number[];
}

/** @param unit what the disk is a multiple of, in bytes */
export function fragmentedDisks(blockSize: number, unit = 512, mostBlocks = 24): fc.Arbitrary<FragmentedDisk> {
  return fc.integer({ min: 1, max: Math.floor((mostBlocks * blockSize) / unit) }).chain((units) => {
    const size = units * unit;
    const blocks = Math.ceil(size / blockSize);
    return fc.shuffledSubarray([...Array(blocks).keys()]).map((order) => {
      const disk = Buffer.alloc(size);
      for (const index of order) disk.subarray(index * blockSize, (index + 1) * blockSize).fill(`block ${index},`);
      return { disk, order };
    });
  });
}

export function decodeStream(
  format: DiskFormat,
  file: Buffer,
  options: DecodeOptions = {},
  chunks: readonly number[] = [1500, 3, 4096],
): Promise<DecodedDisk> {
  return decodeDisk(format, new ByteReader(lend(file, chunks)), options);
}

/** Puts a disk together over what there is of it. */
export async function completed(decoded: DecodedDisk | undefined, written = Buffer.alloc(0)): Promise<Buffer> {
  const { virtualSize = 0, extents } = decoded ?? { extents: [] };
  const disk = Buffer.alloc(virtualSize);
  written.copy(disk);
  for await (const { offset, data } of extents) {
    if (offset + data.length > virtualSize) throw new Error('an extent lies outside of its disk');
    data.copy(disk, offset);
  }
  return disk;
}

export function rangesOf(file: Buffer): RangeReader {
  return {
    size: file.length,
    versioned: true,
    read: async (offset, length) => {
      if (offset + length > file.length) throw new Error('a range lies outside of the file');
      return Buffer.from(file.subarray(offset, offset + length));
    },
  };
}

/** Decodes a file from a stream, by ranges, and in both ways from each position on that the stream comes to. */
export async function* everyWay(format: DiskFormat, file: Buffer): AsyncGenerator<Buffer, void, void> {
  yield completed(await decodeRanges(format, rangesOf(file)));
  const all = await decodeStream(format, file);
  const written = Buffer.alloc(all.virtualSize ?? 0);
  for await (const { offset, data } of all.extents) {
    data.copy(written, offset);
    const { position: from = 0 } = all;
    yield completed(await decodeStream(format, file, { from }), written);
    yield completed(await decodeRanges(format, rangesOf(file), from), written);
  }
  yield written;
}

/** What a promise fails with, or else what it comes to. */
export function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.catch((error: unknown) => error);
}

/** What decoding a file fails with, from a stream and by ranges. */
export async function* everyFailure(
  format: DiskFormat,
  file: Buffer,
): AsyncGenerator<{ way: string; failure: unknown }, void, void> {
  yield { way: 'from a stream', failure: await failureOf(decodeStream(format, file).then(completed)) };
  yield { way: 'by ranges', failure: await failureOf(decodeRanges(format, rangesOf(file)).then(completed)) };
}
