import type { RangeReader } from '../../base/source.ts';
import type { ImageDetails } from './image-details.ts';
import { describeQcow2 } from './qcow2/describe.ts';
import type { DiskFormat } from './recognise.ts';
import { describeVdi } from './vdi/header.ts';
import { describeVhd } from './vhd/footer.ts';
import { describeVhdx } from './vhdx/describe.ts';
import { describeVmdk } from './vmdk/describe.ts';

/**
 * What an image's header tells.
 *
 * @param head the image's first HEAD_LENGTH bytes, or all there are; of a VHD of fixed size its footer
 * @param size of the image, where it is known
 * @param ranges for formats whose size is further behind
 * @throws TransferError InvalidImage, UnsupportedImage, TruncatedImage; what `ranges` throws
 */
export async function describeImage(
  format: DiskFormat,
  head: Buffer,
  size: number | undefined,
  ranges: RangeReader | undefined,
): Promise<ImageDetails> {
  switch (format) {
    case 'raw':
      return { virtualSize: size };
    case 'qcow2':
      return describeQcow2(head);
    case 'vmdk':
      return describeVmdk(head);
    case 'vpc':
      return describeVhd(head);
    case 'vdi':
      return describeVdi(head);
    case 'qed':
      return describeQed(head);
    case 'vhdx':
      return ranges === undefined ? {} : describeVhdx(ranges);
  }
}

/** QEMU's docs/interop/qed_spec.txt. */
function describeQed(head: Buffer): ImageDetails {
  if (head.length < 64) return {};
  const hasBackingFile = (head.readUInt32LE(16) & 1) !== 0;
  return {
    virtualSize: Number(head.readBigUInt64LE(48)),
    clusterSize: head.readUInt32LE(4),
    backingFile: hasBackingFile ? 'present' : undefined,
  };
}
