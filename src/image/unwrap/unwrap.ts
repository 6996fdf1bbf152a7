import { ByteReader } from '../../base/bytes.ts';
import { TransferError } from '../../base/errors.ts';
import type { RangeReader } from '../../base/source.ts';
import type { Compression } from '../../codec/decompress/compression.ts';
import { decompressAll } from '../../codec/decompress/decompress.ts';
import { ArchiveBudget } from '../archive/archive-budget.ts';
import { isTarHeader } from '../archive/tar-reader.ts';
import { TarredDisk } from './tarred-disk.ts';

const TAR_BLOCK = 512;
const MOST_ARCHIVES = 3;
/** Longest path in a message, in characters; its end is the most significant part. */
export const LONGEST_PATH = 200;

/** What an image may be wrapped in. */
export type Wrapper = Compression | 'tar' | 'ova';

export interface Unwrapped {
  /** Location for messages, including the path in archives. */
  location: string;
  reader: ByteReader;
  /** Wrappers from the outermost inwards; empty where the object is the image itself. */
  wrappers: Wrapper[];
  /** Size of the image, where known. */
  size: number | undefined;
  /** Offset of the image in the object, where it is stored contiguously and uncompressed. */
  offset: number | undefined;
  /**
   * Returns the nesting depth of the archive in which the image only may be the disk, while later members have not been
   * examined; otherwise undefined.
   */
  doubtfulIn: () => number | undefined;
}

export interface UnwrapOptions {
  /** Limits what is searched. */
  budget?: ArchiveBudget;
  /** Archives in which only certain disks count, by their nesting depth; the outermost is 0. */
  certainOnly?: readonly number[];
}

/**
 * Removes every compression and archive that is recognised in the content, however they are nested.
 *
 * @param size of the stream that `outer` reads, where known
 * @param location for messages
 * @throws TransferError NotAnImage, UnsupportedImage for archives that do not contain exactly one disk image, or too
 * much else
 */
export async function unwrap(
  outer: ByteReader,
  size: number | undefined,
  location: string,
  { budget = new ArchiveBudget(), certainOnly = [] }: UnwrapOptions = {},
): Promise<Unwrapped> {
  const wrappers: Wrapper[] = [];
  let image: Omit<Unwrapped, 'wrappers'> = { reader: outer, size, offset: 0, location, doubtfulIn: () => undefined };
  for (let archives = 0; ; archives += 1) {
    const { reader, compressions } = await decompressAll(image.reader);
    wrappers.push(...compressions);
    if (compressions.length > 0) image = { ...image, reader, size: undefined, offset: undefined };
    if (!isTarHeader(await image.reader.peek(TAR_BLOCK))) return { ...image, wrappers };
    if (archives === MOST_ARCHIVES) {
      throw new TransferError('UnsupportedImage', `${location} is packed in more than ${MOST_ARCHIVES} archives`);
    }
    const { reader: archive, location: place } = image;
    const options = { location: place, depth: archives, budget, certainOnly: certainOnly.includes(archives) };
    const disk = await TarredDisk.find(archive, options);
    wrappers.push(disk.kind);
    image = within(image, disk, archives);
  }
}

function within(
  { offset, location }: Omit<Unwrapped, 'wrappers'>,
  disk: TarredDisk,
  depth: number,
): Omit<Unwrapped, 'wrappers'> {
  return {
    location: `${disk.path.slice(-LONGEST_PATH)} in ${location}`,
    reader: new ByteReader(disk.contents()),
    size: disk.size,
    offset: offset === undefined || disk.offset === undefined ? undefined : offset + disk.offset,
    doubtfulIn: () => (disk.isDoubtful ? depth : undefined),
  };
}

/** Restricts ranges of an object to the image within it. */
export function rangesWithin(ranges: RangeReader, offset: number, size: number): RangeReader {
  if (offset === 0 && size === ranges.size) return ranges;
  return { ...ranges, size, read: (start, length, memory) => ranges.read(offset + start, length, memory) };
}
