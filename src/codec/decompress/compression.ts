import { behindSkippableFrames } from './skippable-frames.ts';

export type Compression = 'gzip' | 'zstd' | 'xz' | 'bzip2';

const zstdMagic = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
const magics: [Compression, Buffer][] = [
  ['gzip', Buffer.from([0x1f, 0x8b, 0x08])],
  ['zstd', zstdMagic],
  ['xz', Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00])],
];
const bzip2Magic = /^BZh[1-9]$/;
/** What follows bzip2's magic: a block, or the stream's end where it holds nothing. */
const bzip2Starts = ['314159265359', '177245385090'];

/**
 * Tells by the first bytes of an object how it is compressed.
 *
 * @param head where it begins with skippable frames, as much as they and the next magic number may take
 */
export function recogniseCompression(head: Buffer): Compression | undefined {
  for (const [compression, magic] of magics) {
    if (head.subarray(0, magic.length).equals(magic)) return compression;
  }
  if (bzip2Magic.test(head.toString('latin1', 0, 4)) && bzip2Starts.includes(head.toString('hex', 4, 10)))
    return 'bzip2';
  const next = behindSkippableFrames(head)?.subarray(0, zstdMagic.length);
  // Where they are longer than what can be seen, the decoder finds out: of the two formats, only zstd's programs write them.
  return next !== undefined && next.equals(zstdMagic.subarray(0, next.length)) ? 'zstd' : undefined;
}
