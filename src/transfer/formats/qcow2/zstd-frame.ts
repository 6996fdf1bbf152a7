const MAGIC = 0xfd2fb528;
const dictionaryIdLengths = [0, 1, 2, 4];
const contentSizeLengths = [0, 2, 4, 8];
const RLE_BLOCK = 1;

/**
 * The length of the zstd frame that `bytes` begins with (RFC 8878 section 3.1.1), or undefined where it is none or
 * incomplete. Behind it there may be another, which a decoder would go on with.
 */
export function zstdFrameLength(bytes: Buffer): number | undefined {
  if (bytes.length < 6 || bytes.readUInt32LE(0) !== MAGIC) return undefined;
  const descriptor = bytes.readUInt8(4);
  const singleSegment = (descriptor & 0x20) !== 0;
  const hasChecksum = (descriptor & 0x04) !== 0;
  const contentSize = contentSizeLengths[descriptor >>> 6] ?? 0;
  let at = 5 + (singleSegment ? 0 : 1) + (dictionaryIdLengths[descriptor & 3] ?? 0);
  at += singleSegment && contentSize === 0 ? 1 : contentSize;
  for (let last = false; !last;) {
    if (at + 3 > bytes.length) return undefined;
    const header = bytes.readUIntLE(at, 3);
    last = (header & 1) !== 0;
    at += 3 + (((header >>> 1) & 3) === RLE_BLOCK ? 1 : header >>> 3);
  }
  if (hasChecksum) at += 4;
  return at <= bytes.length ? at : undefined;
}
