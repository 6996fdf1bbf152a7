import type { ByteReader } from '../../base/bytes.ts';
import { RandomAccessNeeded } from '../../base/errors.ts';
import type { DecodedDisk } from '../../base/extents.ts';
import type { RangeReader } from '../../base/source.ts';
import type { DecodeOptions } from './decode-options.ts';
import { type DiskFormat, driverOf, drivers } from './drivers.ts';
import { END_LENGTH } from './foreign/ends.ts';
import { decodeMapped, decodeMappedRanges } from './mapped/decode.ts';
import { decodeRaw } from './raw/decode.ts';
import { raw } from './raw/driver.ts';
import { checkedAtEnd, type RawGuess } from './raw-end.ts';

/**
 * Decodes a disk from a stream.
 *
 * @throws RandomAccessNeeded, now or among the extents, where the format or the layout cannot be read in one pass
 */
export async function decodeDisk(format: DiskFormat, reader: ByteReader, options: DecodeOptions): Promise<DecodedDisk> {
  const { open, decode } = driverOf(format);
  if (options.guess !== undefined) return decodeGuessed(reader, options, options.guess);
  if (decode !== undefined) return decode(reader, options);
  if (open === undefined) throw new RandomAccessNeeded(streamObstacle(format));
  return decodeMapped(format, await open((length) => reader.peek(length)), reader, options);
}

/**
 * Returns the offset in an image of the first byte that {@link decodeDisk} reads when it resumes, where it is told the
 * rest: raw disks need no head.
 */
export function firstByteFor(format: string, from: number): number {
  return format === raw.name ? Math.max(0, from - END_LENGTH) : 0;
}

/** Tells why no image of a format can be decoded from a stream; undefined where the layout of each one decides. */
export function streamObstacle(format: DiskFormat): string | undefined {
  const { open, decode } = driverOf(format);
  return open === undefined && decode === undefined ? `${format} cannot be decoded from a stream` : undefined;
}

/**
 * Decodes an image with random access.
 *
 * @param from the position of an earlier decoder of the image, from which to resume
 * @returns undefined where only qemu-img can decode it
 * @throws TransferError for images that are invalid, incomplete or need other files
 */
export async function decodeRanges(
  format: DiskFormat,
  ranges: RangeReader,
  from = 0,
): Promise<DecodedDisk | undefined> {
  const { open } = driverOf(format);
  if (open === undefined) return undefined;
  try {
    const image = await open((length) => ranges.read(0, Math.min(length, ranges.size)));
    return decodeMappedRanges(format, image, ranges, from);
  } catch (error) {
    if (error instanceof RandomAccessNeeded) return undefined;
    throw error;
  }
}

/**
 * Decodes a disk that looks raw, and checks its end, which may show another format. A disk that the user calls raw is
 * taken as it is.
 */
function decodeGuessed(reader: ByteReader, { size, from = 0 }: DecodeOptions, guess: RawGuess): DecodedDisk {
  const raw = decodeRaw(reader, size, Math.max(0, from - END_LENGTH));
  const checked = checkedAtEnd(raw, guess, from);
  return drivers.reduce((disk, { footer }) => footer?.leaveOut(disk, size) ?? disk, checked);
}
