import { ByteReader } from '../base/bytes.ts';
import { checkSelfContained } from '../image/conversion/check-image.ts';
import { refuseHiddenCoding } from './content-coding.ts';
import { TransferError } from '../base/errors.ts';
import { describeImage } from '../image/formats/describe.ts';
import type { ImageDetails } from '../image/formats/image-details.ts';
import { imageFailures } from '../image/formats/image-failures.ts';
import { END_LENGTH, guessRaw, refuseByEnd } from '../image/formats/raw-end.ts';
import { fixedVhdFooter } from '../image/formats/vhd/fixed.ts';
import { HEAD_LENGTH, recogniseFormat, type DiskFormat } from '../image/formats/recognise.ts';
import { locationIn } from './open-image.ts';
import type { RangeReader, Source } from '../base/source.ts';
import { rangesWithin, unwrap, type Wrapper } from '../image/unwrap/unwrap.ts';

export interface InspectedImage extends ImageDetails {
  location: string;
  /** Bytes of the object as it is served, where known. */
  size: number | undefined;
  /** From the outermost inwards. */
  wrappers: Wrapper[];
  format: DiskFormat;
  /** Why it can't be imported, as far as its start tells. */
  refusal: string | undefined;
  labels: Record<string, string>;
}

/** Tells what an image is, from its start, and where it looks raw its last bytes, whether or not it is one that can be imported. */
export async function inspectImage(source: Source): Promise<InspectedImage> {
  let reader: ByteReader | undefined;
  try {
    const { location } = source;
    const opened = await source.open(HEAD_LENGTH);
    refuseHiddenCoding(opened, location);
    const unwrapped = await unwrap(new ByteReader(opened.bytes), opened.size, locationIn(source, opened));
    ({ reader } = unwrapped);
    const { wrappers, size, offset } = unwrapped;
    const head = Buffer.from(await reader.peek(HEAD_LENGTH));
    const recognised = recogniseFormat(head, size, unwrapped.location);
    const object = offset === undefined ? undefined : await source.openRanges();
    const ranges = object && rangesWithin(object, offset ?? 0, size ?? object.size);
    const footer = recognised === 'raw' && ranges !== undefined ? await readFooter(ranges, head, location) : undefined;
    const [format, header]: [DiskFormat, Buffer] = footer === undefined ? [recognised, head] : ['vpc', footer];
    const details = await describeImage(format, header, size, ranges);
    return {
      location,
      size: opened.transferSize ?? opened.size,
      wrappers,
      format,
      ...details,
      refusal: refusalOf(format, header, details),
      labels: source.labels ?? {},
    };
  } finally {
    await reader?.close();
    await source.close();
  }
}

/** By its last bytes, what looks like a raw disk may be a VHD of fixed size, or something that is refused. */
async function readFooter(ranges: RangeReader, head: Buffer, location: string): Promise<Buffer | undefined> {
  const length = Math.min(END_LENGTH, ranges.size);
  const end = await ranges.read(ranges.size - length, length);
  refuseByEnd(end, ranges.size, guessRaw(head, location));
  return fixedVhdFooter(end, ranges.size);
}

function refusalOf(format: DiskFormat, head: Buffer, { backingFile }: ImageDetails): string | undefined {
  try {
    checkSelfContained(format, head);
    if (backingFile !== undefined) throw imageFailures(format).incomplete();
    return undefined;
  } catch (error) {
    if (error instanceof TransferError) return error.message;
    throw error;
  }
}
