import { ByteReader, type ByteStream } from '../../base/bytes.ts';
import { TransferError } from '../../base/errors.ts';
import { recogniseCompression } from './compression.ts';
import { type Compression, compressionNamed } from './drivers.ts';
import { type DecompressedStream, decompressNatively } from './native-decompressor.ts';
import { behindSkippableFrames } from './skippable-frames.ts';

const LONGEST_MAGIC = 16;
/** How far to look for what follows skippable frames, in bytes: programs put a length or a table in them. */
const LONGEST_PREFIX = 64 * 1024;
const MOST_LAYERS = 4;

export interface Decompressed {
  reader: ByteReader;
  /** Compressions from the outermost inwards; empty where there were none. */
  compressions: Compression[];
}

/** Removes every compression that is recognised in the content, however many are nested. */
export async function decompressAll(outer: ByteReader): Promise<Decompressed> {
  const compressions: Compression[] = [];
  let reader = outer;
  for (;;) {
    const compression = await compressionOf(reader);
    if (compression === undefined) return { reader, compressions };
    if (compressions.length === MOST_LAYERS) {
      throw new TransferError('UnsupportedImage', `the image is compressed more than ${MOST_LAYERS} times over`);
    }
    compressions.push(compression);
    const { bytes, pieces } = openCompressed(compression, reader.rest());
    reader = new ByteReader(bytes, undefined, pieces);
  }
}

async function compressionOf(reader: ByteReader): Promise<Compression | undefined> {
  const start = await reader.peek(LONGEST_MAGIC);
  if (behindSkippableFrames(start) === undefined) return recogniseCompression(start);
  return recogniseCompression(await reader.peek(LONGEST_PREFIX));
}

/**
 * Removes one compression: natively where its library is available, and otherwise with node:zlib or a program.
 *
 * @param natively false to avoid native libraries
 * @throws TransferError TruncatedImage, InvalidImage, UnsupportedImage, ProgramMissing
 */
export function decompress(compression: Compression, input: ByteStream, natively = true): ByteStream {
  return openCompressed(compression, input, natively).bytes;
}

function openCompressed(compression: Compression, input: ByteStream, natively = true): DecompressedStream {
  const { name, native, decompress: decompressOtherwise } = compressionNamed(compression);
  if (natively && native !== undefined) return decompressNatively(name, native, input);
  return { bytes: decompressOtherwise(input) };
}
