import { ArchiveBudget } from '../archive/archive-budget.ts';
import { isTarHeader } from '../archive/tar-reader.ts';
import { ByteReader } from '../../base/bytes.ts';
import type { Compression } from '../../codec/decompress/compression.ts';
import { decompressAll } from '../../codec/decompress/decompress.ts';
import { TransferError } from '../../base/errors.ts';
import type { RangeReader } from '../../base/source.ts';
import { TarredDisk } from './tarred-disk.ts';

const TAR_BLOCK = 512;
const MOST_ARCHIVES = 3;
/** In a message, in characters; the end says most. */
export const LONGEST_PATH = 200;

/** What an image may be packed in. */
export type Wrapper = Compression | 'tar' | 'ova';

export interface Unwrapped {
  /** For messages: with its place in archives. */
  location: string;
  reader: ByteReader;
  /** From the outermost inwards; empty where the object is the image itself. */
  wrappers: Wrapper[];
  /** Length of the image, where it is known. */
  size: number | undefined;
  /** Where the image lies in the object, where it lies there as it is. */
  offset: number | undefined;
}

/**
 * Takes off every compression and archive that the content shows, however they are nested.
 *
 * @param size of the stream that `outer` reads, where it is known
 * @param location for messages
 * @param budget how much is looked through
 * @throws TransferError NotAnImage, UnsupportedImage for archives that do not hold exactly one disk image, or too much else
 */
export async function unwrap(
  outer: ByteReader,
  size: number | undefined,
  location: string,
  budget = new ArchiveBudget(),
): Promise<Unwrapped> {
  const wrappers: Wrapper[] = [];
  let image: Omit<Unwrapped, 'wrappers'> = { reader: outer, size, offset: 0, location };
  for (let archives = 0; ; archives += 1) {
    const { reader, compressions } = await decompressAll(image.reader);
    wrappers.push(...compressions);
    if (compressions.length > 0) image = { ...image, reader, size: undefined, offset: undefined };
    if (!isTarHeader(await image.reader.peek(TAR_BLOCK))) return { ...image, wrappers };
    if (archives === MOST_ARCHIVES) {
      throw new TransferError('UnsupportedImage', `${location} is packed in more than ${MOST_ARCHIVES} archives`);
    }
    image = await open(image, wrappers, budget);
  }
}

async function open(
  { reader, offset, location }: Omit<Unwrapped, 'wrappers'>,
  wrappers: Wrapper[],
  budget: ArchiveBudget,
): Promise<Omit<Unwrapped, 'wrappers'>> {
  const disk = await TarredDisk.find(reader, location, budget);
  wrappers.push(disk.kind);
  return {
    location: `${disk.path.slice(-LONGEST_PATH)} in ${location}`,
    reader: new ByteReader(disk.contents()),
    size: disk.size,
    offset: offset === undefined || disk.offset === undefined ? undefined : offset + disk.offset,
  };
}

/** The image among the bytes of the object that it lies in. */
export function rangesWithin(ranges: RangeReader, offset: number, size: number): RangeReader {
  if (offset === 0 && size === ranges.size) return ranges;
  return { ...ranges, size, read: (start, length, memory) => ranges.read(offset + start, length, memory) };
}
