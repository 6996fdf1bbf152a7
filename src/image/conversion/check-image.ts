import { imageFailures } from '../formats/image-failures.ts';
import { parseHeader } from '../formats/qcow2/header.ts';
import type { DiskFormat } from '../formats/recognise.ts';
import { refuseParent } from '../formats/vdi/header.ts';
import { refuseParent as refuseVhdParent } from '../formats/vhd/footer.ts';
import { DESCRIPTOR_AREA, checkDescriptor } from '../formats/vmdk/descriptor.ts';
import { parseHeader as parseVmdkHeader } from '../formats/vmdk/header.ts';

/** All that is checked lies within so many bytes. */
export const CHECKED_LENGTH = DESCRIPTOR_AREA;

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
      refuseVhdParent(head);
      return;
    case 'qed':
      if (head.length >= 24 && (head.readUInt32LE(16) & 1) !== 0) throw imageFailures('QED').incomplete();
      return;
    case 'vdi':
      refuseParent(head);
      return;
    case 'raw':
    case 'vhdx':
  }
}
