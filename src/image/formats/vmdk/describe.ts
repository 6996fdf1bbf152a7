import { printable } from '../../../base/printable.ts';
import type { ImageDetails } from '../image-details.ts';
import { descriptorLines } from './descriptor-text.ts';
import { parseHeader } from './header.ts';

/**
 * Describes the header and the descriptor of a VMDK.
 *
 * @throws TransferError InvalidImage, UnsupportedImage, TruncatedImage
 */
export function describeVmdk(head: Buffer): ImageDetails {
  const { capacity, grainSize, isCompressed, descriptor } = parseHeader(head);
  const lines = descriptorLines(head.subarray(descriptor.offset, descriptor.offset + descriptor.length));
  const find = (pattern: RegExp): string | undefined =>
    lines.map((line) => pattern.exec(line)?.[1]).find((found) => found !== undefined);
  const kind = find(/^createType\s*=\s*"(\w{1,40})"/);
  const parent = find(/^parentFileNameHint\s*=\s*"([^"]*)"/);
  return {
    virtualSize: capacity,
    version: kind,
    clusterSize: grainSize,
    compression: isCompressed ? 'zlib' : undefined,
    backingFile: parent === undefined ? undefined : printable(Buffer.from(parent)),
    encryption: lines.some((line) => line.startsWith('encryption.')) ? 'VMware' : undefined,
  };
}
