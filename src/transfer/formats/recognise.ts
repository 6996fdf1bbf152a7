import { isTarHeader } from '../archive/tar-reader.ts';
import { TransferError } from '../errors.ts';

/** Formats of disk images, by the names that qemu has for them. */
export const diskFormats = ['raw', 'qcow2', 'vmdk', 'vhdx', 'vpc', 'vdi', 'qed'] as const;
export type DiskFormat = (typeof diskFormats)[number];

/** As much of a disk's start as tells its format. */
export const HEAD_LENGTH = 64 * 1024;

const SECTOR = 512;
const SMALLEST_RAW = 64 * 1024;

const diskMagics: [DiskFormat, number, Buffer][] = [
  ['qcow2', 0, Buffer.from('QFI\xfb', 'latin1')],
  ['vmdk', 0, Buffer.from('KDMV')],
  ['vhdx', 0, Buffer.from('vhdxfile')],
  ['vpc', 0, Buffer.from('conectix')],
  ['vdi', 0x40, Buffer.from([0x7f, 0x10, 0xda, 0xbe])],
  ['qed', 0, Buffer.from('QED\0')],
];

const otherMagics: [string, Buffer][] = [
  ['a ZIP archive', Buffer.from('PK\x03\x04')],
  ['a 7z archive', Buffer.from('7z\xbc\xaf\x27\x1c', 'latin1')],
  ['a RAR archive', Buffer.from('Rar!\x1a\x07', 'latin1')],
  ['a PDF document', Buffer.from('%PDF-')],
  ['an RPM package', Buffer.from('\xed\xab\xee\xdb', 'latin1')],
];

/** What is a disk image, but would be taken for a raw one: a guest would find no disk in it. */
const unsupportedMagics: [string, Buffer][] = [
  ['compressed with lz4', Buffer.from('\x04\x22\x4d\x18', 'latin1')],
  ['compressed with lzip', Buffer.from('LZIP')],
  ['compressed with lzop', Buffer.from('\x89LZO', 'latin1')],
  ['a sparse image of Android', Buffer.from('\x3a\xff\x26\xed', 'latin1')],
  ['a Parallels disk', Buffer.from('WithoutFreeSpace')],
  ['a Parallels disk', Buffer.from('WithouFreSpacExt')],
];

/**
 * Tells by its start what kind of disk image an object is. What is nothing else is raw.
 *
 * @param head the first HEAD_LENGTH bytes, or all there are
 * @param size of the whole object, where it is known
 * @throws TransferError NotAnImage, where that is certain
 */
export function recogniseFormat(head: Buffer, size: number | undefined, location: string): DiskFormat {
  const total = head.length < HEAD_LENGTH ? head.length : size;
  if (total === 0) throw new TransferError('NotAnImage', `${location} is empty`);
  for (const [format, offset, magic] of diskMagics) {
    if (head.subarray(offset, offset + magic.length).equals(magic)) return format;
  }
  if (isOldVmware(head)) {
    throw new TransferError(
      'UnsupportedImage',
      `${location} is a VMware disk of an old kind or in several files: convert it with qemu-img convert first`,
    );
  }
  const unsupported = unsupportedMagics.find(([, magic]) => head.subarray(0, magic.length).equals(magic));
  if (unsupported !== undefined) {
    throw new TransferError(
      'UnsupportedImage',
      `${location} is ${unsupported[0]}, which cannot be read here: unpack or convert it first`,
    );
  }
  const other = describeOther(head, total);
  if (other !== undefined)
    throw new TransferError('NotAnImage', `${location} is ${other}, not a disk image: check the URL`);
  return 'raw';
}

/**
 * Whether a file among others is a disk image, by its start and size: raw ones have no sign of their own, but are neither
 * small, nor text, nor anything else that is known.
 */
export function isProbablyDisk(head: Buffer, size: number): boolean {
  if (diskMagics.some(([, offset, magic]) => head.subarray(offset, offset + magic.length).equals(magic))) return true;
  if (isTarHeader(head.subarray(0, SECTOR))) return true;
  return size >= SMALLEST_RAW && size % SECTOR === 0 && !isText(head) && describeOther(head, size) === undefined;
}

function describeOther(head: Buffer, total: number | undefined): string | undefined {
  for (const [name, magic] of otherMagics) {
    if (head.subarray(0, magic.length).equals(magic)) return name;
  }
  const start = head.toString('latin1', 0, 1024).trimStart().toLowerCase();
  if (start.startsWith('<!doctype html') || start.startsWith('<html')) return 'an HTML page';
  if (start.startsWith('<?xml')) return 'an XML document';
  // A disk is whole sectors; text of any other length is somebody's message.
  if (total !== undefined && total % SECTOR !== 0 && isText(head)) return 'text';
  return undefined;
}

/** ESX server's sparse extents, and the text that describes a disk whose data is in other files. */
function isOldVmware(head: Buffer): boolean {
  return head.toString('latin1', 0, 4) === 'COWD' || head.toString('latin1', 0, 21) === '# Disk DescriptorFile';
}

function isText(head: Buffer): boolean {
  return !/[^\t\n\r\f\x20-\x7e\x80-\xff]/.test(head.toString('latin1'));
}
