import type { ByteReader } from '../../base/bytes.ts';
import type { Liblzma } from '../native/liblzma.ts';
import { type BlockSizes, DecodingFailed } from '../native/stream-codec.ts';
import type { XzBlock } from '../native/xz-block-decoder.ts';
import { type XzBlockPlace, XzHeaders } from '../native/xz-headers.ts';

/** Length of the header of a Stream, and of its footer. */
const STREAM_HEADER = 12;
const PADDING_UNIT = 4;
const FIRST_MAGIC = 0xfd;
const ENOUGH = 64 * 1024;

/** A block whose data comes next in the reader. */
export interface UnreadXzBlock extends XzBlock {
  header: Buffer;
  /** Memory that decoding needs, in bytes. */
  memory: number;
  place: XzBlockPlace | undefined;
  /** Has to be set by the caller where `place` is unknown. */
  sizes: BlockSizes | undefined;
}

/**
 * Reads an xz file (xz-file-format.txt) with all its Streams. The caller reads each block before it requests the next
 * one. Throws DecodingFailed at the end where anything except the data of the blocks is invalid.
 *
 * @param mostMemory that decoding a block may need, in bytes
 */
export async function* readXzBlocks(
  reader: ByteReader,
  lzma: Liblzma,
  mostMemory: number,
): AsyncGenerator<UnreadXzBlock, void, void> {
  do {
    const headers = new XzHeaders(lzma, await exactly(reader, STREAM_HEADER));
    try {
      for (;;) {
        const [first] = await reader.peek(1);
        if (first === undefined) throw new DecodingFailed('truncated');
        if (first === 0) break;
        const header = Buffer.from(await peekExactly(reader, (first + 1) * 4));
        const { check } = headers;
        const { memory, place } = headers.readBlockHeader(header, mostMemory);
        const block: UnreadXzBlock = { header, check, memory, place, sizes: place?.sizes };
        yield block;
        if (block.sizes === undefined) throw new Error('the sizes of a block are not known once it has been read');
        headers.addBlock(block.sizes);
      }
      await readIndex(reader, headers);
      headers.readFooter(await exactly(reader, STREAM_HEADER));
    } finally {
      headers.close();
    }
  } while (await skipPadding(reader));
}

async function readIndex(reader: ByteReader, headers: XzHeaders): Promise<void> {
  for (let ended = false; !ended;) {
    const bytes = await reader.peekSome(ENOUGH);
    if (bytes.length === 0) throw new DecodingFailed('truncated');
    const read = headers.readIndex(bytes);
    ended = read.ended;
    await reader.take(read.length);
  }
}

/** @returns whether another Stream follows */
async function skipPadding(reader: ByteReader): Promise<boolean> {
  let padding = 0;
  for (;;) {
    const bytes = await reader.peekSome(ENOUGH);
    const zeros = bytes.findIndex((byte) => byte !== 0);
    padding += zeros < 0 ? bytes.length : zeros;
    if (bytes.length === 0 || zeros >= 0) {
      if (zeros >= 0 && bytes[zeros] !== FIRST_MAGIC) throw new DecodingFailed('foreign');
      if (padding % PADDING_UNIT !== 0) throw new DecodingFailed('damaged');
      await reader.take(Math.max(0, zeros));
      return bytes.length > 0;
    }
    await reader.take(bytes.length);
  }
}

async function exactly(reader: ByteReader, length: number): Promise<Buffer> {
  const bytes = await peekExactly(reader, length);
  await reader.take(length);
  return bytes;
}

/** Valid until the next call. */
async function peekExactly(reader: ByteReader, length: number): Promise<Buffer> {
  const bytes = await reader.peek(length);
  if (bytes.length < length) throw new DecodingFailed('truncated');
  return bytes;
}
