import type { ImageDetails } from '../image-details.ts';
import { imageFailures } from '../image-failures.ts';
import { backingFileName, refuseBackingFile } from '../qcow2/backing-file.ts';

/** Header of version 1; names are those of QEMU's block/qcow.c. Offsets and sizes are in bytes. */
export interface QcowHeader {
  /** Size of the disk, in whole sectors. */
  size: number;
  clusterBits: number;
  clusterSize: number;
  /** Number of clusters that an L2 table maps. */
  clustersPerTable: number;
  l1TableOffset: number;
  /** Length of the L1 table, which follows from the size. */
  l1Length: number;
}

export const failures = imageFailures('qcow');
const { invalid, truncated, unsupported, needsRandomAccess } = failures;

/** Bytes that contain the name of a backing file, the only thing that is read after the header. */
export const HEADER_AREA = 4096;
export const HEADER_LENGTH = 48;
const SECTOR = 512;
const SMALLEST_DISK = 2;
const MIN_CLUSTER_BITS = 9;
const MAX_CLUSTER_BITS = 16;
/** The size of an L2 table in bytes has the same bounds as that of a cluster. */
const MIN_L2_BITS = 6;
const MAX_L2_BITS = 13;
export const L1_ENTRY = 8;
/** Largest L1 table in bytes, as for qcow2; it maps 8 TiB in clusters of the usual size. */
const LARGEST_L1 = 32 * 1024 * 1024;
const encryptions: Record<number, string> = { 1: 'AES' };

/**
 * Parses and validates a header.
 *
 * @param bytes the first HEADER_AREA bytes of the image, or all there are
 * @throws TransferError InvalidImage, TruncatedImage, UnsupportedImage
 * @throws RandomAccessNeeded where its L1 table is too large to be read here
 */
export function parseHeader(bytes: Buffer): QcowHeader {
  if (bytes.length < HEADER_LENGTH) throw truncated();
  const version = bytes.readUInt32BE(4);
  if (version !== 1) throw unsupported(`is of version ${version}, which is not this format's`);
  refuseBackingFile(bytes, failures);
  const encryption = encryptionName(bytes);
  if (encryption !== undefined) throw unsupported(`is encrypted (${encryption}): decrypt it with qemu-img convert`);
  const [clusterBits = 0, l2Bits = 0] = bytes.subarray(32, 34);
  if (clusterBits < MIN_CLUSTER_BITS || clusterBits > MAX_CLUSTER_BITS) {
    throw invalid(`its cluster_bits are ${clusterBits}`);
  }
  if (l2Bits < MIN_L2_BITS || l2Bits > MAX_L2_BITS) throw invalid(`its l2_bits are ${l2Bits}`);
  const size = diskSize(bytes);
  const l1TableOffset = Number(bytes.readBigUInt64BE(40));
  if (l1TableOffset < HEADER_LENGTH) throw invalid('its L1 table lies in its header');
  const l1Length = Math.ceil(size / 2 ** (clusterBits + l2Bits)) * L1_ENTRY;
  if (!Number.isSafeInteger(l1TableOffset + l1Length)) throw invalid('its L1 table lies beyond any file');
  if (l1Length > LARGEST_L1) throw needsRandomAccess('has a very large L1 table');
  const [clusterSize, clustersPerTable] = [2 ** clusterBits, 2 ** l2Bits];
  return { size, clusterBits, clusterSize, clustersPerTable, l1TableOffset, l1Length };
}

/** Describes a header, whether or not the image can be imported. */
export function describeQcow(bytes: Buffer): ImageDetails {
  if (bytes.length < HEADER_LENGTH) return {};
  return {
    virtualSize: Number(bytes.readBigUInt64BE(24)),
    version: '1',
    clusterSize: 2 ** bytes.readUInt8(32),
    compression: 'zlib',
    backingFile: backingFileName(bytes),
    encryption: encryptionName(bytes),
  };
}

function diskSize(bytes: Buffer): number {
  const size = Number(bytes.readBigUInt64BE(24));
  if (size < SMALLEST_DISK || !Number.isSafeInteger(size)) throw invalid(`its size is ${size}`);
  return size - (size % SECTOR);
}

function encryptionName(bytes: Buffer): string | undefined {
  const method = bytes.readUInt32BE(36);
  return method === 0 ? undefined : (encryptions[method] ?? `method ${method}`);
}
