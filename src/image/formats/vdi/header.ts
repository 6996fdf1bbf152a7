import { isBlockSize } from '../block-size.ts';
import type { ImageDetails } from '../image-details.ts';
import { imageFailures } from '../image-failures.ts';

/** Header of VirtualBox's VDI 1.1; names are those of its source (VDICore.h). Offsets and sizes are in bytes. */
export interface VdiHeader {
  /** Size of the disk, in whole sectors. */
  size: number;
  blockSize: number;
  blocks: number;
  blocksOffset: number;
  dataOffset: number;
}

export const failures = imageFailures('VDI');
const { invalid, truncated, unsupported } = failures;

export const HEADER_LENGTH = 512;
const SECTOR = 512;
const VERSION = 0x00010001;
const types: Record<number, string> = { 1: 'dynamic', 2: 'static', 3: 'undo', 4: 'differencing' };
const SMALLEST_BLOCK = 4096;
const LARGEST_BLOCK = 256 * 1024 * 1024;
/** Most blocks that the entries of the map can address. */
const MOST_BLOCKS = 0x3fffffff;
/** Largest disk in bytes, as in QEMU: that many blocks of the usual size. */
const LARGEST_DISK = MOST_BLOCKS * 1024 * 1024;

/**
 * Parses and validates a header.
 *
 * @param bytes the first HEADER_LENGTH bytes of the image, or all there are
 * @throws TransferError InvalidImage, TruncatedImage, UnsupportedImage
 */
export function parseHeader(bytes: Buffer): VdiHeader {
  if (bytes.length < HEADER_LENGTH) throw truncated();
  refuseOtherKinds(bytes);
  const size = Math.ceil(Number(bytes.readBigUInt64LE(0x170)) / SECTOR) * SECTOR;
  const blockSize = bytes.readUInt32LE(0x178);
  const blocks = bytes.readUInt32LE(0x180);
  const [blocksOffset, dataOffset] = [bytes.readUInt32LE(0x154), bytes.readUInt32LE(0x158)];
  if (!isBlockSize(blockSize, SMALLEST_BLOCK, LARGEST_BLOCK)) throw invalid(`its blocks have ${blockSize} bytes`);
  if (size > LARGEST_DISK) throw invalid('its disk is larger than any');
  if (blocks > MOST_BLOCKS || blocks * blockSize < size) throw invalid(`its ${blocks} blocks do not fit its size`);
  if (blocksOffset < HEADER_LENGTH || dataOffset < HEADER_LENGTH) throw invalid('its block map lies in its header');
  if (blocksOffset % SECTOR !== 0 || dataOffset % SECTOR !== 0) throw invalid('its block map is not aligned');
  return { size, blockSize, blocks, blocksOffset, dataOffset };
}

/** @param bytes at least the header */
function refuseOtherKinds(bytes: Buffer): void {
  const version = bytes.readUInt32LE(0x44);
  if (version !== VERSION) throw unsupported(`is of version ${version >>> 16}.${version & 0xffff}, which is not known`);
  refuseParent(bytes);
  if (bytes.readUInt32LE(0x168) !== SECTOR) throw unsupported('has sectors of an unusual size');
  if (bytes.readUInt32LE(0x17c) !== 0) throw unsupported('has more than data in its blocks');
}

/**
 * Refuses an image that is incomplete without another one.
 *
 * @param bytes the first HEADER_LENGTH bytes of the image, or all there are
 * @throws TransferError UnsupportedImage
 */
export function refuseParent(bytes: Buffer): void {
  if (bytes.length < HEADER_LENGTH) return;
  const links = bytes.subarray(0x1a8, 0x1c8);
  if (bytes.readUInt32LE(0x4c) < 3 && links.every((byte) => byte === 0)) return;
  throw failures.incomplete();
}

/** Describes a VDI header, whether or not the image can be imported. */
export function describeVdi(bytes: Buffer): ImageDetails {
  if (bytes.length < HEADER_LENGTH) return {};
  return {
    virtualSize: Math.ceil(Number(bytes.readBigUInt64LE(0x170)) / SECTOR) * SECTOR,
    version: types[bytes.readUInt32LE(0x4c)],
    clusterSize: bytes.readUInt32LE(0x178),
  };
}
