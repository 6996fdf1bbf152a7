import { TransferError } from '../errors.ts';
import { parseHeader } from '../formats/qcow2/header.ts';
import type { DiskFormat } from '../formats/recognise.ts';

/** All that is checked lies within so many bytes. */
export const CHECKED_LENGTH = 1024 * 1024;

const SECTOR = 512;
const VHD_DIFFERENCING = 4;
/** qemu looks for a VMDK's parent behind the first sector, whatever place the header names for the descriptor. */
const QEMU_DESCRIPTOR_SIZE = 20 * SECTOR;

/**
 * Refuses images that would make a converter open other files. Everything else is its own business.
 *
 * @param head the first CHECKED_LENGTH bytes of the image, or all there are
 * @throws TransferError UnsupportedImage, InvalidImage, TruncatedImage
 */
export function checkSelfContained(format: DiskFormat, head: Buffer): void {
  switch (format) {
    case 'qcow2':
      parseHeader(head);
      return;
    case 'vmdk':
      checkVmdk(head);
      return;
    case 'vpc':
      if (head.length >= 64 && head.readUInt32BE(60) === VHD_DIFFERENCING) throw incomplete('VHD');
      return;
    case 'qed':
      if (head.length >= 24 && (head.readUInt32LE(16) & 1) !== 0) throw incomplete('QED');
      return;
    case 'raw':
    case 'vhdx':
    case 'vdi':
  }
}

/** VMware's Virtual Disk Format 5.0: a sparse extent's header, and the descriptor embedded in it. */
function checkVmdk(head: Buffer): void {
  if (head.length < SECTOR) throw new TransferError('TruncatedImage', 'the VMDK image is shorter than its header');
  const capacity = head.readBigUInt64LE(12);
  const descriptorOffset = Number(head.readBigUInt64LE(28)) * SECTOR;
  const descriptorSize = Number(head.readBigUInt64LE(36)) * SECTOR;
  // Without a capacity of its own it describes other files.
  if (capacity === 0n) throw incomplete('VMDK');
  checkVmdkDescriptor(head.subarray(SECTOR, SECTOR + QEMU_DESCRIPTOR_SIZE));
  if (descriptorOffset === 0) return;
  if (descriptorOffset + descriptorSize > CHECKED_LENGTH) {
    throw new TransferError('InvalidImage', 'the VMDK image has its descriptor at an unusual place');
  }
  checkVmdkDescriptor(head.subarray(descriptorOffset, descriptorOffset + descriptorSize));
}

function checkVmdkDescriptor(bytes: Buffer): void {
  const descriptor = bytes.toString('latin1');
  const parent = /^\s*parentCID\s*=\s*([0-9a-f]+)/im.exec(descriptor)?.[1];
  if (/parentFileNameHint/i.test(descriptor) || (parent !== undefined && !/^f{8}$/i.test(parent))) {
    throw incomplete('VMDK');
  }
}

function incomplete(name: string): TransferError {
  return new TransferError(
    'UnsupportedImage',
    `the ${name} image refers to other files, without which it is incomplete: flatten it with qemu-img convert`,
  );
}
