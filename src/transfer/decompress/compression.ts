export type Compression = 'gzip' | 'zstd' | 'xz' | 'bzip2';

const magics: [Compression, Buffer][] = [
  ['gzip', Buffer.from([0x1f, 0x8b, 0x08])],
  ['zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd])],
  ['xz', Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00])],
];
const bzip2Magic = /^BZh[1-9]\x31\x41\x59\x26\x53\x59/;

/** Tells by the first bytes of an object how it is compressed. */
export function recogniseCompression(head: Buffer): Compression | undefined {
  for (const [compression, magic] of magics) {
    if (head.subarray(0, magic.length).equals(magic)) return compression;
  }
  return bzip2Magic.test(head.toString('latin1', 0, 10)) ? 'bzip2' : undefined;
}
