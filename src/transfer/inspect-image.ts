import { ByteReader } from './bytes.ts';
import type { Compression } from './decompress/compression.ts';
import { decompressAll } from './decompress/decompress.ts';
import { RandomAccessNeeded } from './errors.ts';
import { decodeDisk } from './formats/decode.ts';
import { HEAD_LENGTH, recogniseFormat, type DiskFormat } from './formats/recognise.ts';
import type { Source } from './source.ts';

export interface InspectedImage {
  location: string;
  /** Bytes of the object as it is served, where known. */
  size: number | undefined;
  /** From the outermost inwards. */
  compressions: Compression[];
  format: DiskFormat;
  /** In bytes, where the image's start tells it. */
  virtualSize: number | undefined;
  labels: Record<string, string>;
}

/** Tells what an image is, from its start alone. */
export async function inspectImage(source: Source): Promise<InspectedImage> {
  try {
    const { bytes, size, transferSize } = await source.open();
    const { reader, compressions } = await decompressAll(new ByteReader(bytes));
    const plainSize = compressions.length === 0 ? size : undefined;
    const format = recogniseFormat(await reader.peek(HEAD_LENGTH), plainSize, source.location);
    const virtualSize = await virtualSizeOf(format, reader, plainSize);
    const labels = source.labels ?? {};
    return { location: source.location, size: transferSize ?? size, compressions, format, virtualSize, labels };
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
