import {
  BLOCK_HEADER_LENGTH,
  CHECKSUM_LENGTH,
  ZSTD_MAGIC,
  frameHeaderLength,
  hasChecksum,
  readBlockHeader,
} from '../../decompress/zstd-frame.ts';

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
