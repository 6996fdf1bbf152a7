import type { ImageDetails } from '../image-details.ts';
import { printable } from '../printable.ts';
import { parseHeader } from './header.ts';

/** What the header and the descriptor of a VMDK say. @throws TransferError InvalidImage, UnsupportedImage, TruncatedImage */
export function describeVmdk(head: Buffer): ImageDetails {
  const { capacity, grainSize, isCompressed, descriptor } = parseHeader(head);
  const text = head.toString('latin1', descriptor.offset, descriptor.offset + descriptor.length);
  const kind = /^\s*createType\s*=\s*"(\w{1,40})"/m.exec(text)?.[1];
  const parent = /^\s*parentFileNameHint\s*=\s*"([^"\n]*)"/m.exec(text)?.[1];
  return {
    virtualSize: capacity,
    version: kind,
    clusterSize: grainSize,
    compression: isCompressed ? 'zlib' : undefined,
    backingFile: parent === undefined ? undefined : printable(Buffer.from(parent)),
    encryption: /^\s*encryption\./m.test(text) ? 'VMware' : undefined,
  };
}
