import type { ByteReader, ByteStream } from '../../base/bytes.ts';
import { DecodingFailed } from '../native/stream-codec.ts';
import { windowMemory } from '../native/window-memory.ts';
import {
  BLOCK_HEADER_LENGTH,
  CHECKSUM_LENGTH,
  frameHeaderLength,
  LONGEST_HEADER,
  readBlockHeader,
  readFrameHeader,
  refuseUndecodable,
  skippableLength,
} from '../native/zstd-format.ts';

/**
 * Passes on exactly one zstd frame or skippable frame (RFC 8878 section 3.1). Anything else is passed on to its end,
 * for the decoder to reject.
 *
 * @throws DecodingFailed where it is already known that the frame cannot be decoded
 */
export async function* nextZstdFrame(reader: ByteReader): ByteStream {
  const start = await reader.peek(LONGEST_HEADER);
  const length = frameHeaderLength(start);
  if (length === undefined || start.length < length) return yield* reader.some(Infinity);
  const header = start.subarray(0, length);
  const skippable = skippableLength(header);
  const frame = skippable === undefined ? readFrameHeader(header) : undefined;
  if (frame === undefined) return yield* reader.some(length + (skippable ?? 0));
  refuseUndecodable(frame);
  if (!windowMemory.reserve(frame.windowSize)) throw new DecodingFailed('memory');
  try {
    yield* frameOf(reader, length, frame.hasChecksum);
  } finally {
    windowMemory.release(frame.windowSize);
  }
}

/** @param length of the header */
async function* frameOf(reader: ByteReader, length: number, hasChecksum: boolean): ByteStream {
  yield* reader.some(length);
  for (let isLast = false; !isLast;) {
    const blockHeader = await reader.peek(BLOCK_HEADER_LENGTH);
    if (blockHeader.length < BLOCK_HEADER_LENGTH) return yield* reader.some(Infinity);
    const block = readBlockHeader(blockHeader);
    isLast = block.isLast;
    yield* reader.some(BLOCK_HEADER_LENGTH + block.length);
  }
  if (hasChecksum) yield* reader.some(CHECKSUM_LENGTH);
}

/**
 * Returns the length of the zstd frame at the start of `bytes` (RFC 8878 section 3.1.1); undefined where there is none
 * or it is incomplete. Another frame may follow, with which a decoder would continue.
 */
export function zstdFrameLength(bytes: Buffer): number | undefined {
  let at = frameHeaderLength(bytes);
  if (at === undefined || at > bytes.length || skippableLength(bytes) !== undefined) return undefined;
  const { hasChecksum } = readFrameHeader(bytes);
  for (let isLast = false; !isLast;) {
    if (at + BLOCK_HEADER_LENGTH > bytes.length) return undefined;
    const block = readBlockHeader(bytes, at);
    isLast = block.isLast;
    at += BLOCK_HEADER_LENGTH + block.length;
  }
  if (hasChecksum) at += CHECKSUM_LENGTH;
  return at <= bytes.length ? at : undefined;
}
