import { abandonStream, ByteReader, type SeekableStream } from '../../base/bytes.ts';
import { type Checksum, verified } from '../../base/checksum.ts';
import type { Progress } from '../../base/progress.ts';
import type { OpenedSource, Source } from '../../base/source.ts';
import { unlessAborted } from '../../base/unless-aborted.ts';
import { ArchiveBudget } from '../../image/archive/archive-budget.ts';
import type { DiskFormat } from '../../image/formats/drivers.ts';
import { HEAD_LENGTH, recognise, type RecognisedFormat } from '../../image/formats/recognise.ts';
import { LONGEST_PATH, unwrap, type Unwrapped } from '../../image/unwrap/unwrap.ts';
import { type Checkpoint, hashLocation } from '../checkpoint/checkpoint.ts';
import { refuseHiddenCoding } from '../content-coding.ts';
import { openRest } from './open-rest.ts';
import type { OpenedImage } from './opened-image.ts';

/** Bytes requested of the start of an image that is resumed: the first tables of a qcow2 image. */
const RESUMED_HEAD = 1024 * 1024;

export interface OpenImageOptions {
  source: Source;
  progress: Progress;
  /** Checksum of the object as it is served, in the Content-Encoding in which it is sent. */
  checksum?: Checksum | undefined;
  /** Format of the image; recognised by its content where it is missing. */
  format?: DiskFormat | undefined;
  /** Archives in which only certain disks count, see {@link import('../../image/unwrap/unwrap.ts').UnwrapOptions}. */
  certainOnly?: readonly number[];
  signal?: AbortSignal | undefined;
}

/**
 * Opens an image, and recognises its format.
 *
 * @param checkpoint from which the import will be resumed, if it fits
 * @throws TransferError, the signal's reason
 */
export async function openImage(options: OpenImageOptions, checkpoint?: Checkpoint): Promise<OpenedImage> {
  const { source, progress, checksum, signal } = options;
  progress.enter('connecting', { source: source.location });
  // A checksum covers everything, and a compressed or archived image is read as a whole.
  const head = checksum === undefined && checkpoint?.wrappers.length === 0 ? RESUMED_HEAD : undefined;
  const opened = await openUnlessAborted(source, head, signal);
  refuseHiddenCoding(opened, source.location);
  progress.counters.bytesTotal = opened.transferSize ?? opened.size;
  if (opened.startsAt !== undefined) return openRest(options, { ...opened, startsAt: opened.startsAt }, checkpoint);
  const bytes =
    checksum === undefined ? opened.bytes : verified(opened.bytes, checksum, source.location, opened.encoding);
  const seekable = checksum === undefined ? seekableOf(opened) : undefined;
  const outer = locationIn(source, opened);
  const { version, size: sourceSize } = opened;
  const sourceId = { location: hashLocation(source.location), version, size: sourceSize };
  const certainOnly = [...new Set([...(options.certainOnly ?? []), ...learntOf(checkpoint, sourceId)])].sort(
    (a, b) => a - b,
  );
  const budget = new ArchiveBudget({ signal });
  const image = await unwrap(new ByteReader(bytes, seekable), sourceSize, outer, { budget, certainOnly });
  const { wrappers } = image;
  const { format, guess } = await formatOf(image, options.format);
  progress.note('recognised', { format, wrappers, bytes: opened.size });
  const subject =
    version === undefined ? undefined : { source: { ...sourceId, version }, format, wrappers, certainOnly };
  return { ...image, format, guess, subject, certainOnly, seeks: seekable !== undefined && wrappers.length === 0 };
}

/** What an earlier process found out about the archives of the image, if they are the same. */
function learntOf(
  checkpoint: Checkpoint | undefined,
  { location, version }: { location: string; version: string | undefined },
): readonly number[] {
  const { source, certainOnly } = checkpoint ?? {};
  return source?.location === location && source.version === version ? (certainOnly ?? []) : [];
}

async function formatOf(
  { reader, size, location }: Unwrapped,
  stated: DiskFormat | undefined,
): Promise<RecognisedFormat> {
  if (stated !== undefined) return { format: stated, guess: undefined };
  return recognise(await reader.peek(HEAD_LENGTH), size, location);
}

/** Returns the location of an opened object, with its path in a container image. */
export function locationIn({ location }: Source, { path }: OpenedSource): string {
  return path === undefined ? location : `${path.slice(-LONGEST_PATH)} in ${location}`;
}

/**
 * Opens the source unless aborted. A source that searches layers for the image need not observe the abort itself,
 * because nothing is written before it is open.
 */
async function openUnlessAborted(
  source: Source,
  head: number | undefined,
  signal: AbortSignal | undefined,
): Promise<OpenedSource> {
  signal?.throwIfAborted();
  const opening = source.open(head);
  try {
    return await unlessAborted(opening, signal);
  } catch (error) {
    // The opened source is not needed any more.
    opening.then(({ bytes }) => abandonStream(bytes)).catch(() => {});
    throw error;
  }
}

/** Returns what was opened as a stream that can be opened at any offset, where the source supports that. */
export function seekableOf({ size, openAt }: OpenedSource): SeekableStream | undefined {
  return size === undefined || openAt === undefined ? undefined : { size, openAt };
}
