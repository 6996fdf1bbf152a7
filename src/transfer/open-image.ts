import { ArchiveBudget } from './archive/archive-budget.ts';
import { ByteReader, abandonStream, type SeekableStream } from './bytes.ts';
import { hashLocation, type Checkpoint, type Subject } from './checkpoint/checkpoint.ts';
import { verified, type Checksum } from './checksum.ts';
import { HEAD_LENGTH, recogniseFormat, type DiskFormat } from './formats/recognise.ts';
import type { Progress } from './progress.ts';
import type { OpenedSource, Source } from './source.ts';
import { unwrap, type Unwrapped } from './unwrap/unwrap.ts';

/** What of an image's start is asked for where most of it is on the target already, in bytes: a qcow2's first tables. */
const RESUMED_HEAD = 1024 * 1024;

export interface OpenImageOptions {
  source: Source;
  progress: Progress;
  /** Of the object as it is served, in the Content-Encoding that it is sent in. */
  checksum?: Checksum | undefined;
  /** What the image is; recognised by its content where it is missing. */
  format?: DiskFormat | undefined;
  signal?: AbortSignal | undefined;
}

export interface OpenedImage extends Unwrapped {
  format: DiskFormat;
  /** What checkpoints are made of; undefined where nobody could tell later whether the source has changed. */
  subject: Subject | undefined;
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
  progress.bytesTotal = opened.transferSize ?? opened.size;
  const bytes =
    checksum === undefined ? opened.bytes : verified(opened.bytes, checksum, source.location, opened.encoding);
  const seekable = checksum === undefined ? seekableOf(opened) : undefined;
  const image = await unwrap(
    new ByteReader(bytes, seekable),
    opened.size,
    source.location,
    new ArchiveBudget({ signal }),
  );
  const { reader, wrappers, size } = image;
  const format = options.format ?? recogniseFormat(await reader.peek(HEAD_LENGTH), size, source.location);
  progress.note('recognised', { format, wrappers, bytes: opened.size });
  const { version, size: sourceSize } = opened;
  const location = hashLocation(source.location);
  const subject =
    version === undefined ? undefined : { source: { location, version, size: sourceSize }, format, wrappers };
  return { ...image, format, subject, seeks: seekable !== undefined && wrappers.length === 0 };
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
