import type { ByteReader } from '../base/bytes.ts';
import { TransferError } from '../base/errors.ts';
import type { RangeReader, Source } from '../base/source.ts';
import { type DiskFormat, driverOf, drivers } from '../image/formats/drivers.ts';
import { END_LENGTH } from '../image/formats/foreign/ends.ts';
import type { ImageDetails } from '../image/formats/image-details.ts';
import { imageFailures } from '../image/formats/image-failures.ts';
import { type RawGuess, refuseByEnd } from '../image/formats/raw-end.ts';
import { HEAD_LENGTH, recognise } from '../image/formats/recognise.ts';
import { rangesWithin, type Wrapper } from '../image/unwrap/unwrap.ts';
import { openChosen } from './open-chosen.ts';

export interface InspectedImage extends ImageDetails {
  location: string;
  /** Size in bytes of the object as it is served, where known. */
  size: number | undefined;
  /** Wrappers from the outermost inwards. */
  wrappers: Wrapper[];
  format: DiskFormat;
  /** Why the image cannot be imported, as far as its start tells. */
  refusal: string | undefined;
  /**
   * Whether the image is a member of an archive that only might be a disk: an import refuses it where another member
   * might be one, too.
   */
  isDoubtful: boolean;
  labels: Record<string, string>;
}

/**
 * Describes an image by its start and, where it looks raw, its last bytes, whether or not it can be imported. Of an
 * archive it describes the member that an import takes.
 */
export async function inspectImage(source: Source): Promise<InspectedImage> {
  let reader: ByteReader | undefined;
  try {
    const { location } = source;
    const { opened, image } = await openChosen(source);
    ({ reader } = image);
    const { wrappers, size, offset } = image;
    const head = Buffer.from(await reader.peek(HEAD_LENGTH));
    const { format: apparent, guess } = recognise(head, size, image.location);
    const object = offset === undefined ? undefined : await source.openRanges();
    const ranges = object && rangesWithin(object, offset ?? 0, size ?? object.size);
    const atEnd = guess !== undefined && ranges !== undefined ? await readFooter(ranges, guess) : undefined;
    const { format, header } = atEnd ?? { format: apparent, header: head };
    const details = await driverOf(format).describe({ head: header, size, ranges });
    return {
      location,
      size: opened.transferSize ?? opened.size,
      wrappers,
      format,
      ...details,
      refusal: refusalOf(format, header, details),
      isDoubtful: image.doubtfulIn() !== undefined,
      labels: source.labels ?? {},
    };
  } finally {
    await reader?.close();
    await source.close();
  }
}

/** Reads the last bytes, which may show that a seemingly raw disk has a format with a footer, or is refused. */
async function readFooter(
  ranges: RangeReader,
  guess: RawGuess,
): Promise<{ format: DiskFormat; header: Buffer } | undefined> {
  const length = Math.min(END_LENGTH, ranges.size);
  const end = await ranges.read(ranges.size - length, length);
  refuseByEnd(end, ranges.size, guess);
  for (const { name, footer } of drivers) {
    const header = footer?.find(end, ranges.size);
    if (header !== undefined) return { format: name, header };
  }
  return undefined;
}

function refusalOf(format: DiskFormat, head: Buffer, { backingFile }: ImageDetails): string | undefined {
  try {
    driverOf(format).selfContained?.check(head);
    if (backingFile !== undefined) throw imageFailures(format).incomplete();
    return undefined;
  } catch (error) {
    if (error instanceof TransferError) return error.message;
    throw error;
  }
}
