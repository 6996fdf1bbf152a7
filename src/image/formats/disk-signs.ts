import { isIn, signature } from './foreign/signature.ts';

/** Partition tables, file systems and volumes, by what lies at a place that nothing else has a meaning for. */
const signs = [
  signature('GPT', 'EFI PART', 512),
  signature('GPT of large sectors', 'EFI PART', 4096),
  signature('ISO 9660', 'CD001', 32769),
  signature('UDF', 'BEA01', 32769),
  signature('XFS', 'XFSB'),
  signature('LUKS', 'LUKS\xba\xbe'),
  signature('LVM', 'LABELONE', 512),
  signature('LVM', 'LABELONE'),
  signature('LVM', 'LABELONE', 1024),
  signature('LVM', 'LABELONE', 1536),
  signature('swap', 'SWAPSPACE2', 4086),
  signature('swap of large pages', 'SWAPSPACE2', 65526),
  signature('SquashFS', 'hsqs'),
  signature('EROFS', '\xe2\xe1\xf5\xe0', 1024),
  signature('cramfs', '\x45\x3d\xcd\x28'),
  signature('romfs', '-rom1fs-'),
  signature('F2FS', '\x10\x20\xf5\xf2', 1024),
  signature('NTFS', 'NTFS    ', 3),
  signature('exFAT', 'EXFAT   ', 3),
  signature('ReFS', 'ReFS', 3),
  signature('BitLocker', '-FVE-FS-', 3),
  signature('FAT', 'FAT1', 54),
  signature('FAT', 'FAT32   ', 82),
  signature('APFS', 'NXSB', 32),
  signature('HFS+', 'H+\0\x04', 1024),
  signature('HFSX', 'HX\0\x05', 1024),
  signature('RAID', '\xfc\x4e\x2b\xa9'),
  signature('RAID', '\xfc\x4e\x2b\xa9', 4096),
];
const EXT_MAGIC_AT = 1080;
const EXT_MAGIC = 0xef53;
const BOOT_SIGN_AT = 510;
const BOOT_SIGN = 0xaa55;

/**
 * Whether a disk begins so: with a known partition table, file system or volume.
 *
 * @param head the first HEAD_LENGTH bytes, or all there are
 */
export function hasDiskSign(head: Buffer): boolean {
  if (head.length >= EXT_MAGIC_AT + 2 && head.readUInt16LE(EXT_MAGIC_AT) === EXT_MAGIC) return true;
  return signs.some((sign) => isIn(head, sign));
}

/** Whether it has the sign of a boot sector, which other files that firmware starts have as well. */
export function isBootSector(head: Buffer): boolean {
  return head.length >= BOOT_SIGN_AT + 2 && head.readUInt16LE(BOOT_SIGN_AT) === BOOT_SIGN;
}
