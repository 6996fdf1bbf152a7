import { named } from './foreign/named-signature.ts';
import { isIn } from './signature.ts';

/** Signatures of partition tables, file systems and volumes, at places with no other meaning. */
const signs = [
  named('GPT', 'EFI PART', 512),
  named('GPT of large sectors', 'EFI PART', 4096),
  named('ISO 9660', 'CD001', 32769),
  named('UDF', 'BEA01', 32769),
  named('XFS', 'XFSB'),
  named('LUKS', 'LUKS\xba\xbe'),
  named('LVM', 'LABELONE', 512),
  named('LVM', 'LABELONE'),
  named('LVM', 'LABELONE', 1024),
  named('LVM', 'LABELONE', 1536),
  named('swap', 'SWAPSPACE2', 4086),
  named('swap of large pages', 'SWAPSPACE2', 65526),
  named('SquashFS', 'hsqs'),
  named('EROFS', '\xe2\xe1\xf5\xe0', 1024),
  named('cramfs', '\x45\x3d\xcd\x28'),
  named('romfs', '-rom1fs-'),
  named('F2FS', '\x10\x20\xf5\xf2', 1024),
  named('NTFS', 'NTFS    ', 3),
  named('exFAT', 'EXFAT   ', 3),
  named('ReFS', 'ReFS', 3),
  named('BitLocker', '-FVE-FS-', 3),
  named('FAT', 'FAT1', 54),
  named('FAT', 'FAT32   ', 82),
  named('APFS', 'NXSB', 32),
  named('HFS+', 'H+\0\x04', 1024),
  named('HFSX', 'HX\0\x05', 1024),
  named('RAID', '\xfc\x4e\x2b\xa9'),
  named('RAID', '\xfc\x4e\x2b\xa9', 4096),
];
const EXT_MAGIC_AT = 1080;
const EXT_MAGIC = 0xef53;
const BOOT_SIGN_AT = 510;
const BOOT_SIGN = 0xaa55;

/**
 * Whether a disk begins with a known partition table, file system or volume.
 *
 * @param head the first HEAD_LENGTH bytes, or all there are
 */
export function hasDiskSign(head: Buffer): boolean {
  if (head.length >= EXT_MAGIC_AT + 2 && head.readUInt16LE(EXT_MAGIC_AT) === EXT_MAGIC) return true;
  return signs.some((sign) => isIn(head, sign));
}

/** Whether a file has the signature of a boot sector, which other files that firmware starts have as well. */
export function isBootSector(head: Buffer): boolean {
  return head.length >= BOOT_SIGN_AT + 2 && head.readUInt16LE(BOOT_SIGN_AT) === BOOT_SIGN;
}
