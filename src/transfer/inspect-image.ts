import { ByteReader } from './bytes.ts';
import { RandomAccessNeeded } from './errors.ts';
import { decodeDisk } from './formats/decode.ts';
import { HEAD_LENGTH, recogniseFormat, type DiskFormat } from './formats/recognise.ts';
import type { Source } from './source.ts';
import { unwrap, type Wrapper } from './unwrap/unwrap.ts';

export interface InspectedImage {
  location: string;
  /** Bytes of the object as it is served, where known. */
  size: number | undefined;
  /** From the outermost inwards. */
  wrappers: Wrapper[];
  format: DiskFormat;
  /** In bytes, where the image's start tells it. */
  virtualSize: number | undefined;
  labels: Record<string, string>;
}

/** Tells what an image is, from its start alone. */
export async function inspectImage(source: Source): Promise<InspectedImage> {
  try {
    const { bytes, size, transferSize } = await source.open();
    const { reader, wrappers, size: imageSize } = await unwrap(new ByteReader(bytes), size, source.location);
    const format = recogniseFormat(await reader.peek(HEAD_LENGTH), imageSize, source.location);
    const virtualSize = await virtualSizeOf(format, reader, imageSize);
    const labels = source.labels ?? {};
    return { location: source.location, size: transferSize ?? size, wrappers, format, virtualSize, labels };
  } finally {
    await source.close();
  }
}

async function virtualSizeOf(
  format: DiskFormat,
  reader: ByteReader,
  size: number | undefined,
): Promise<number | undefined> {
  try {
    return (await decodeDisk(format, reader, { size })).virtualSize;
  } catch (error) {
    if (error instanceof RandomAccessNeeded) return undefined;
    throw error;
  }
}
