import { TransferError } from '../errors.ts';
import { parseHeader } from '../formats/qcow2/header.ts';
import type { DiskFormat } from '../formats/recognise.ts';
import { refuseParent } from '../formats/vdi/header.ts';
import { DESCRIPTOR_AREA, checkDescriptor } from '../formats/vmdk/descriptor.ts';
import { parseHeader as parseVmdkHeader } from '../formats/vmdk/header.ts';

/** All that is checked lies within so many bytes. */
export const CHECKED_LENGTH = DESCRIPTOR_AREA;

const VHD_DIFFERENCING = 4;

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
      checkDescriptor(head, parseVmdkHeader(head));
      return;
    case 'vpc':
      if (head.length >= 64 && head.readUInt32BE(60) === VHD_DIFFERENCING) throw incomplete('VHD');
      return;
    case 'qed':
      if (head.length >= 24 && (head.readUInt32LE(16) & 1) !== 0) throw incomplete('QED');
      return;
    case 'vdi':
      refuseParent(head);
      return;
    case 'raw':
    case 'vhdx':
  }
}

function incomplete(name: string): TransferError {
  return new TransferError(
    'UnsupportedImage',
    `the ${name} image refers to other files, without which it is incomplete: flatten it with qemu-img convert`,
  );
}
