import type { ByteReader, ByteStream } from '../bytes.ts';

const ZSTD_MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;
const dictionaryIdLengths = [0, 1, 2, 4];
const contentSizeLengths = [0, 2, 4, 8];
const RLE_BLOCK = 1;
const BLOCK_HEADER_LENGTH = 3;
const CHECKSUM_LENGTH = 4;

/**
 * Passes on one zstd frame, or skippable frame, and nothing behind it (RFC 8878 section 3.1). What is none is passed on
 * to its end: whoever decodes it says so.
 */
export async function* nextZstdFrame(reader: ByteReader): ByteStream {
  const start = await reader.peek(8);
  const magic = start.length < 8 ? 0 : start.readUInt32LE();
  if ((magic & ~0xf) >>> 0 === SKIPPABLE_MAGIC) return yield* some(reader, 8 + start.readUInt32LE(4));
  if (magic !== ZSTD_MAGIC) return yield* some(reader, Infinity);
  const descriptor = start.readUInt8(4);
  yield* some(reader, frameHeaderLength(descriptor));
  for (let last = false; !last;) {
    const blockHeader = await reader.peek(BLOCK_HEADER_LENGTH);
    if (blockHeader.length < BLOCK_HEADER_LENGTH) return yield* some(reader, Infinity);
    const block = readBlockHeader(blockHeader);
    last = block.last;
    yield* some(reader, BLOCK_HEADER_LENGTH + block.length);
  }
  if (hasChecksum(descriptor)) yield* some(reader, CHECKSUM_LENGTH);
}

/**
 * The length of the zstd frame that `bytes` begins with (RFC 8878 section 3.1.1), or undefined where it is none or
 * incomplete. Behind it there may be another, which a decoder would go on with.
 */
export function zstdFrameLength(bytes: Buffer): number | undefined {
  if (bytes.length < 6 || bytes.readUInt32LE(0) !== ZSTD_MAGIC) return undefined;
  const descriptor = bytes.readUInt8(4);
  let at = frameHeaderLength(descriptor);
  for (let last = false; !last;) {
    if (at + BLOCK_HEADER_LENGTH > bytes.length) return undefined;
    const block = readBlockHeader(bytes, at);
    last = block.last;
    at += BLOCK_HEADER_LENGTH + block.length;
  }
  if (hasChecksum(descriptor)) at += CHECKSUM_LENGTH;
  return at <= bytes.length ? at : undefined;
}

/** What a block's header says: how many bytes follow it, and whether it is its frame's last. */
function readBlockHeader(bytes: Buffer, at = 0): { length: number; last: boolean } {
  const header = bytes.readUIntLE(at, BLOCK_HEADER_LENGTH);
  return { length: ((header >>> 1) & 3) === RLE_BLOCK ? 1 : header >>> 3, last: (header & 1) !== 0 };
}

/** @param descriptor the byte behind the magic number */
function hasChecksum(descriptor: number): boolean {
  return (descriptor & 0x04) !== 0;
}

/** With the magic number, by the byte behind that. */
function frameHeaderLength(descriptor: number): number {
  const singleSegment = (descriptor & 0x20) !== 0;
  const contentSize = contentSizeLengths[descriptor >>> 6] ?? 0;
  const sizes = singleSegment && contentSize === 0 ? 1 : contentSize;
  return 5 + (singleSegment ? 0 : 1) + (dictionaryIdLengths[descriptor & 3] ?? 0) + sizes;
}

async function* some(reader: ByteReader, length: number): ByteStream {
  for (let left = length; left > 0;) {
    const bytes = await reader.takeSome(left);
    if (bytes.length === 0) return;
    left -= bytes.length;
    yield bytes;
  }
}
