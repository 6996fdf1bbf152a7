import { ByteReader } from '../../../src/base/bytes.ts';
import type { DecodedDisk } from '../../../src/base/extents.ts';
import type { RangeReader } from '../../../src/base/source.ts';
import { decodeDisk, decodeRanges } from '../../../src/image/formats/decode.ts';
import { driverOf } from '../../../src/image/formats/drivers.ts';
import { HEAD_LENGTH, recogniseFormat } from '../../../src/image/formats/recognise.ts';
import { unwrap } from '../../../src/image/unwrap/unwrap.ts';
import { lend } from '../../unit/base/streams.ts';
import { below, type Random } from '../mutate.ts';
import { survive, Violation } from './subject.ts';

/** Disks of this size are put together, and compared. */
const COMPARED = 1024 * 1024;
/** What a small image may honestly claim to hold more is not waited for. */
const ENOUGH_OUTPUT = 64 * 1024 * 1024;

/** Lets every decoder loose on an image. */
export async function attemptImage(bytes: Buffer, random: Random): Promise<void> {
  const streamed = await survive(() => decodeStream(bytes, random));
  const head = bytes.subarray(0, HEAD_LENGTH);
  const format = await survive(async () => recogniseFormat(head, bytes.length, 'x'));
  if (format === undefined) return;
  await survive(async () => {
    const { describe, selfContained } = driverOf(format);
    await describe({ head, size: bytes.length, ranges: rangesOf(bytes) });
    selfContained?.check(bytes.subarray(0, selfContained.length));
  });
  if (format === 'raw') return;
  const ranged = await survive(async () => consume(await decodeRanges(format, rangesOf(bytes))));
  const both = await survive(() => decodeStream(bytes, random, rangesOf(bytes)));
  const disks = [streamed, ranged, both].filter((disk) => disk !== undefined);
  if (disks.some((disk) => !disk.equals(disks[0] ?? disk))) {
    throw new Violation('two ways to read the image find different disks');
  }
}

async function decodeStream(bytes: Buffer, random: Random, ranges?: RangeReader): Promise<Buffer | undefined> {
  const chunks = Array.from({ length: 20 }, () => 1 + below(random, 3000));
  const reader = new ByteReader(lend(bytes, chunks));
  try {
    const image = await unwrap(reader, bytes.length, 'x');
    const format = recogniseFormat(await image.reader.peek(HEAD_LENGTH), image.size, 'x');
    const within = image.offset === 0 ? ranges : undefined;
    return await consume(await decodeDisk(format, image.reader, { size: image.size, ranges: within }));
  } finally {
    await reader.close();
  }
}

async function consume(decoded: DecodedDisk | undefined): Promise<Buffer | undefined> {
  if (decoded === undefined) return undefined;
  const { virtualSize = Infinity, extents } = decoded;
  const disk = virtualSize <= COMPARED ? Buffer.alloc(virtualSize) : undefined;
  let output = 0;
  for await (const { offset, data } of extents) {
    const end = offset + data.length;
    if (!Number.isSafeInteger(offset) || offset < 0 || end > virtualSize) {
      throw new Violation(`an extent from ${offset} to ${end} lies outside of a disk of ${virtualSize} bytes`);
    }
    if (disk !== undefined) data.copy(disk, offset);
    output += data.length;
    if (output > ENOUGH_OUTPUT) return undefined;
  }
  return disk;
}

function rangesOf(bytes: Buffer): RangeReader {
  const size = bytes.length;
  return {
    size,
    versioned: true,
    read: async (offset, length) => {
      if (!Number.isSafeInteger(offset) || offset < 0 || !(length >= 0) || offset + length > size) {
        throw new Violation(`${length} bytes at ${offset} were asked for of an image of ${size}`);
      }
      return Buffer.from(bytes.subarray(offset, offset + length));
    },
  };
}
