import { isTarHeader } from '../archive/tar-reader.ts';
import { behindSkippableFrames } from '../../codec/decompress/skippable-frames.ts';
import { TransferError } from '../../base/errors.ts';
import { hasDiskSign } from './disk-signs.ts';
import { describeDeflated } from './foreign/deflated.ts';
import { describeForeignFile } from './foreign/files.ts';
import { findForeignImage } from './foreign/images.ts';
import { SECTOR, beginsAsDisk, refuseOddLength } from './plausible-disk.ts';

/** Formats of disk images, by the names that qemu has for them. */
export const diskFormats = ['raw', 'qcow2', 'vmdk', 'vhdx', 'vpc', 'vdi', 'qed'] as const;
export type DiskFormat = (typeof diskFormats)[number];

/** As much of a disk's start as tells its format. */
export const HEAD_LENGTH = 64 * 1024;

const SMALLEST_RAW = 64 * 1024;

const diskMagics: [DiskFormat, number, Buffer][] = [
  ['qcow2', 0, Buffer.from('QFI\xfb', 'latin1')],
  ['vmdk', 0, Buffer.from('KDMV')],
  ['vhdx', 0, Buffer.from('vhdxfile')],
  ['vpc', 0, Buffer.from('conectix')],
  ['vdi', 0x40, Buffer.from([0x7f, 0x10, 0xda, 0xbe])],
  ['qed', 0, Buffer.from('QED\0')],
];

/**
 * Tells by its start what kind of disk image an object is. What is nothing else that is known, and could be one, is raw.
 *
 * @param head the first HEAD_LENGTH bytes, or all there are
 * @param size of the whole object in bytes, where it is known; where it is not, its end has to be looked at as well
 * @throws TransferError NotAnImage, UnsupportedImage
 */
export function recogniseFormat(head: Buffer, size: number | undefined, location: string): DiskFormat {
  const total = head.length < HEAD_LENGTH ? head.length : size;
  if (total === 0) throw new TransferError('NotAnImage', `${location} is empty`);
  const format = formatByMagic(head);
  if (format !== undefined) return format;
  if (!hasDiskSign(head)) refuseForeign(head, location);
  if (total !== undefined && !beginsAsDisk(head)) refuseOddLength(total, location);
  return 'raw';
}

/**
 * Whether a file among others is a disk image, by its start and size: raw ones often have no sign of their own, but are
 * neither small, nor text, nor anything else that is known.
 */
export function isProbablyDisk(head: Buffer, size: number): boolean {
  if (formatByMagic(head) !== undefined) return true;
  if (isTarHeader(head.subarray(0, SECTOR))) return true;
  if (size < SMALLEST_RAW || size % SECTOR !== 0) return false;
  return hasDiskSign(head) || describeForeignFile(head) === undefined;
}

function formatByMagic(head: Buffer): DiskFormat | undefined {
  return diskMagics.find(([, offset, magic]) => head.subarray(offset, offset + magic.length).equals(magic))?.[0];
}

function refuseForeign(head: Buffer, location: string): void {
  if (isOldVmware(head)) {
    throw new TransferError(
      'UnsupportedImage',
      `${location} is a VMware disk of an old kind or in several files: convert it with qemu-img convert first`,
    );
  }
  const image = findForeignImage(behindSkippableFrames(head) ?? head);
  const deflated = image === undefined ? describeDeflated(head) : undefined;
  const what = image?.what ?? deflated;
  if (what !== undefined) {
    const advice = image?.advice ?? 'unpack or convert it first';
    throw new TransferError('UnsupportedImage', `${location} is ${what}, which cannot be read here: ${advice}`);
  }
  const file = describeForeignFile(head);
  if (file === undefined) return;
  throw new TransferError('NotAnImage', `${location} is ${file}, not a disk image: check the URL`);
}

/** ESX server's sparse extents, and the text that describes a disk whose data is in other files. */
function isOldVmware(head: Buffer): boolean {
  return (
    head.toString('latin1', 0, 4) === 'COWD' ||
    /^[\s\xef\xbb\xbf]*# Disk DescriptorFile/.test(head.toString('latin1', 0, 64))
  );
}
