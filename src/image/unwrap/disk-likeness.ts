import { TransferError } from '../../base/errors.ts';
import { BLOCK } from '../archive/tar-blocks.ts';
import { isTarHeader } from '../archive/tar-reader.ts';
import { isProbablyDisk, recogniseFormat } from '../formats/recognise.ts';

/**
 * How much a file among others looks like a disk image: certainly (it has the format of one, partitions or a file
 * system, or is an archive that may contain one), or possibly, with nothing for or against it.
 */
export type Likeness = 'disk' | 'possible';

type Signature = readonly [offset: number, bytes: Buffer];

/** Signatures of files that are neither small nor text, and still no disks: programs, pictures, and the like. */
const others: readonly Signature[] = [
  [0, Buffer.from('\x7fELF')],
  [0, Buffer.from([0xcf, 0xfa, 0xed, 0xfe])], // Mach-O
  [0, Buffer.from([0xca, 0xfe, 0xba, 0xbe])], // Mach-O for several architectures, and Java
  [0, Buffer.from([0xde, 0x12, 0x04, 0x95])], // gettext
  [0, Buffer.from([0x95, 0x04, 0x12, 0xde])],
  [0, Buffer.from('\x89PNG', 'latin1')],
  [0, Buffer.from([0xff, 0xd8, 0xff])], // JPEG
  [0, Buffer.from('SQLite format 3\0')],
  [0, Buffer.from('07070')], // cpio
  [0, Buffer.from('!<arch>\n')],
  [0, Buffer.from([0, 5, 0x16, 7])], // AppleDouble
  [40, Buffer.from('_FVH')], // a volume of UEFI firmware: code or variables
];

/** Signatures within a raw disk: of a partition table, or a file system without one. */
const structures: readonly Signature[] = [
  [510, Buffer.from([0x55, 0xaa])],
  [512, Buffer.from('EFI PART')],
  [4096, Buffer.from('EFI PART')],
  [1080, Buffer.from([0x53, 0xef])], // ext2 and its successors
  [0, Buffer.from('XFSB')],
  [0, Buffer.from('LUKS\xba\xbe', 'latin1')],
  [512, Buffer.from('LABELONE')], // LVM
  [32_769, Buffer.from('CD001')],
];

/**
 * Judges a file; undefined for one that is not a disk image.
 *
 * @param head the first HEAD_LENGTH bytes, or all there are
 * @param size undefined where it is not known, as for compressed files
 */
export function likenessOf(head: Buffer, size: number | undefined): Likeness | undefined {
  const hasStructure = hasAny(head, structures);
  if (!hasStructure && hasAny(head, others)) return undefined;
  // An unknown size cannot count against the file.
  if (!isProbablyDisk(head, size ?? 2 ** 40)) return undefined;
  return hasStructure || !mayBeRaw(head, size) ? 'disk' : 'possible';
}

function hasAny(head: Buffer, signatures: readonly Signature[]): boolean {
  return signatures.some(([offset, bytes]) => head.subarray(offset, offset + bytes.length).equals(bytes));
}

function mayBeRaw(head: Buffer, size: number | undefined): boolean {
  try {
    return !isTarHeader(head.subarray(0, BLOCK)) && recogniseFormat(head, size, '') === 'raw';
  } catch (error) {
    if (error instanceof TransferError) return true;
    throw error;
  }
}
