import type { ReadHead } from '../mapped/image.ts';
import { descriptorLines } from './descriptor-text.ts';
import { failures, HEADER_LENGTH, parseHeader, SECTOR, type SparseHeader } from './header.ts';

const { invalid, truncated, unsupported } = failures;

/** Bytes at the start of an image that contain its descriptor. */
export const DESCRIPTOR_AREA = 1024 * 1024;

/** QEMU looks for the parent of a VMDK after the first sector, wherever the header places the descriptor. */
const QEMU_DESCRIPTOR_SIZE = 20 * SECTOR;

/**
 * Reads a header and the descriptor, and validates both.
 *
 * @throws TransferError for images that are invalid, incomplete or need other files
 */
export async function readHeader(readHead: ReadHead): Promise<SparseHeader> {
  const header = parseHeader(await readHead(HEADER_LENGTH));
  const { offset, length } = header.descriptor;
  const area = Math.max(SECTOR + QEMU_DESCRIPTOR_SIZE, offset + length);
  checkDescriptor(await readHead(Math.min(DESCRIPTOR_AREA, area)), header);
  return header;
}

/**
 * Refuses an image that is incomplete by itself, as its descriptor says.
 *
 * @param head the first DESCRIPTOR_AREA bytes of the image, or all there are
 * @throws TransferError UnsupportedImage, InvalidImage, TruncatedImage
 */
export function checkDescriptor(head: Buffer, { capacity, descriptor, isCompressed }: SparseHeader): void {
  // Without its own capacity it describes other files.
  if (capacity === 0) throw incomplete('is split into several files');
  const isThere = check(head.subarray(SECTOR, SECTOR + QEMU_DESCRIPTOR_SIZE));
  // A single file embeds its descriptor. Compressed images are made for transport, and are always single files.
  if (descriptor.offset === 0 && !isThere && !isCompressed) throw onlyAPart();
  if (descriptor.offset === 0) return;
  const end = descriptor.offset + descriptor.length;
  if (end > DESCRIPTOR_AREA) throw invalid('its descriptor is at an unusual place');
  if (end > head.length) throw truncated();
  const isAtItsPlace = check(head.subarray(descriptor.offset, end));
  if (!isThere && !isAtItsPlace && !isCompressed) throw onlyAPart();
}

/** @returns whether these bytes are a descriptor */
function check(bytes: Buffer): boolean {
  const lines = descriptorLines(bytes);
  if (lines.some((line) => /parentFileNameHint/i.test(line) || /^parentCID\s*=\s*(?!f{8}\b)[0-9a-f]/i.test(line))) {
    throw incomplete('refers to other files: its parent');
  }
  const extents = lines.filter((line) => /^(RW|RDONLY|NOACCESS)\s+\d+\s+\w+/i.test(line));
  if (extents.length > 1) throw incomplete(`is split into ${extents.length} files`);
  if (lines.some((line) => /^encryption\./i.test(line))) throw unsupported('is encrypted: decrypt it first');
  return lines.some((line) => /^(CID|createType)\s*=/i.test(line));
}

function onlyAPart(): Error {
  return unsupported(
    'is one of several files of a disk, without which it is incomplete: flatten the disk with qemu-img convert, given the ' +
      'file that names the parts',
  );
}

function incomplete(what: string): Error {
  return unsupported(`${what}; without them it is incomplete: flatten it with qemu-img convert`);
}
