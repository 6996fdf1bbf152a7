import { ArchiveBudget } from '../image/archive/archive-budget.ts';
import { ByteReader, abandonStream, type SeekableStream } from '../base/bytes.ts';
import { hashLocation, type Checkpoint, type Subject } from './checkpoint/checkpoint.ts';
import { verified, type Checksum } from '../base/checksum.ts';
import { refuseHiddenCoding } from './content-coding.ts';
import type { DiskFormat } from '../image/formats/drivers.ts';
import { HEAD_LENGTH, recognise, type RecognisedFormat } from '../image/formats/recognise.ts';
import type { Progress } from '../base/progress.ts';
import type { OpenedSource, Source } from '../base/source.ts';
import { LONGEST_PATH, unwrap, type Unwrapped } from '../image/unwrap/unwrap.ts';

/** What of an image's start is asked for where most of it is on the target already, in bytes: a qcow2's first tables. */
const RESUMED_HEAD = 1024 * 1024;

export interface OpenImageOptions {
  source: Source;
  progress: Progress;
  /** Of the object as it is served, in the Content-Encoding that it is sent in. */
  checksum?: Checksum | undefined;
  /** What the image is; recognised by its content where it is missing. */
  format?: DiskFormat | undefined;
  /** See {@link import('../image/unwrap/unwrap.ts').UnwrapOptions}. */
  certainOnly?: readonly number[];
  signal?: AbortSignal | undefined;
}

export interface OpenedImage extends Unwrapped, RecognisedFormat {
  /** What checkpoints are made of; undefined where nobody could tell later whether the source has changed. */
  subject: Subject | undefined;
  /** See {@link import('../image/unwrap/unwrap.ts').UnwrapOptions}: what was asked for, and what the checkpoint told. */
  certainOnly: readonly number[];
  /** Whether `reader` passes over long distances without reading them. */
  seeks: boolean;
}

/**
 * Opens an image, and tells by its content what it is.
 *
 * @param checkpoint from where it is going to be read on, if it fits
 * @throws TransferError, the signal's reason
 */
export async function openImage(options: OpenImageOptions, checkpoint?: Checkpoint): Promise<OpenedImage> {
  const { source, progress, checksum, signal } = options;
  progress.enter('connecting', { source: source.location });
  // A checksum is of all that is read, and what is packed is read as a whole.
  const head = checksum === undefined && checkpoint?.wrappers.length === 0 ? RESUMED_HEAD : undefined;
  const opened = await openUnlessAborted(source, head, signal);
  refuseHiddenCoding(opened, source.location);
  progress.bytesTotal = opened.transferSize ?? opened.size;
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

/** What an earlier process found out of the archives that the image is in, if they are the same. */
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

/** Of what was opened, with its place in a container image. */
export function locationIn({ location }: Source, { path }: OpenedSource): string {
  return path === undefined ? location : `${path.slice(-LONGEST_PATH)} in ${location}`;
}

/** A source that looks through layers for the image need not hear of an abort: nothing is written before it is open. */
async function openUnlessAborted(
  source: Source,
  head: number | undefined,
  signal: AbortSignal | undefined,
): Promise<OpenedSource> {
  signal?.throwIfAborted();
  const opening = source.open(head);
  if (signal === undefined) return opening;
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(signal.reason as Error);
  signal.addEventListener('abort', abort);
  try {
    return await Promise.race([opening, aborted.promise]);
  } catch (error) {
    // Nobody waits for it any more.
    opening.then(({ bytes }) => abandonStream(bytes)).catch(() => {});
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function seekableOf({ size, openAt }: OpenedSource): SeekableStream | undefined {
  return size === undefined || openAt === undefined ? undefined : { size, openAt };
}
