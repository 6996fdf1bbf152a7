import { ByteReader, type ByteStream } from '../../base/bytes.ts';
import { TransferError } from '../../base/errors.ts';
import { recogniseCompression } from '../../codec/decompress/compression.ts';
import { decompress } from '../../codec/decompress/decompress.ts';
import { HEAD_LENGTH } from '../formats/recognise.ts';

/**
 * Bytes of a compressed file that are read: bzip2 has blocks of 900 KB, and outputs nothing before a block is complete.
 */
export const COMPRESSED_HEAD_LENGTH = 1024 * 1024;
/** Most nested compressions, as many as are removed from an image. */
const MOST_COMPRESSIONS = 4;

export interface CompressedHead {
  /** The start of the content: HEAD_LENGTH bytes at most. */
  head: Buffer;
  /** Size of the content, where all of it was seen. */
  size: number | undefined;
}

/**
 * Decompresses the start of a compressed file.
 *
 * @param start its first COMPRESSED_HEAD_LENGTH bytes, or all there are
 */
export async function compressedHead(start: Buffer): Promise<CompressedHead> {
  let head = start;
  let isWhole = start.length < COMPRESSED_HEAD_LENGTH;
  for (let taken = 0; taken < MOST_COMPRESSIONS; taken += 1) {
    const compression = recogniseCompression(head);
    if (compression === undefined) break;
    const reader = new ByteReader(decompress(compression, once(head), false));
    try {
      const { bytes, hasEnded } = await available(reader, COMPRESSED_HEAD_LENGTH);
      head = Buffer.from(bytes);
      isWhole &&= hasEnded;
    } finally {
      await reader.close();
    }
  }
  return { head: head.subarray(0, HEAD_LENGTH), size: isWhole ? head.length : undefined };
}

async function* once(bytes: Buffer): ByteStream {
  yield bytes;
}

/** Reads up to `length` bytes, or as many as there are before the stream fails, as one does that ends in the middle. */
async function available(reader: ByteReader, length: number): Promise<{ bytes: Buffer; hasEnded: boolean }> {
  for (let wanted = 1; ;) {
    try {
      const bytes = await reader.peek(wanted);
      if (bytes.length < wanted || wanted === length) return { bytes, hasEnded: bytes.length < wanted };
      wanted = Math.min(length, (await reader.peekSome(length)).length + 1);
    } catch (error) {
      if (!(error instanceof TransferError) || error.code === 'ProgramMissing') throw error;
      return { bytes: wanted === 1 ? Buffer.alloc(0) : await reader.peekSome(wanted - 1), hasEnded: false };
    }
  }
}
