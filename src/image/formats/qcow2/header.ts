import { imageFailures } from '../image-failures.ts';
import { refuseBackingFile } from './backing-file.ts';
import { nameFeatures, parseExtensions } from './extensions.ts';

/**
 * The header; names are those of the specification (docs/interop/qcow2.txt of QEMU). Offsets and sizes are in bytes.
 */
export interface Header {
  version: 2 | 3;
  clusterBits: number;
  clusterSize: number;
  /** Size of the disk, in whole sectors. */
  size: number;
  l1TableOffset: number;
  /** Length of the part of the L1 table that the size needs. */
  l1Length: number;
  /** Number of clusters that an L2 table maps. */
  clustersPerTable: number;
  compressionType: 'zlib' | 'zstd';
  /** Whether L2 entries describe subclusters. */
  extendedL2: boolean;
  snapshots: number;
  /** Whether the last writer did not close the image; only its reference counts are affected. */
  isDirty: boolean;
}

/** Bytes that contain the header and its extensions; anything after them is ignored. */
export const HEADER_AREA = 64 * 1024;

export const failures = imageFailures('qcow2');
const { invalid, truncated, unsupported } = failures;

const SECTOR = 512;
export const V2_HEADER_LENGTH = 72;
export const V3_HEADER_LENGTH = 104;
const MIN_CLUSTER_BITS = 9;
const MAX_CLUSTER_BITS = 21;
/** Smallest cluster_bits with extended_l2: each of the 32 subclusters has at least one sector. */
const MIN_EXTENDED_CLUSTER_BITS = 14;
const MAX_L1_LENGTH = 32 * 1024 * 1024;
const MAX_REFCOUNT_ORDER = 6;
const L1_ENTRY = 8;
const L2_ENTRY = 8;
const EXTENDED_L2_ENTRY = 16;

type Features = Pick<Header, 'compressionType' | 'extendedL2' | 'isDirty'>;

const V2_FEATURES: Features = { compressionType: 'zlib', extendedL2: false, isDirty: false };

/** Incompatible features, by their bits. */
export const feature = { dirty: 1n, corrupt: 2n, dataFile: 4n, compressionType: 8n, extendedL2: 16n };
const encryptions: Record<number, string> = { 1: 'AES', 2: 'LUKS' };

/**
 * Parses and validates a header.
 *
 * @param bytes the first HEADER_AREA bytes of the image, or all there are
 * @throws TransferError InvalidImage, TruncatedImage, UnsupportedImage
 */
export function parseHeader(bytes: Buffer): Header {
  if (bytes.length < V2_HEADER_LENGTH) throw truncated();
  const version = bytes.readUInt32BE(4);
  if (version !== 2 && version !== 3) throw unsupported(`is of version ${version}, which is not known`);
  const clusterBits = bytes.readUInt32BE(20);
  if (clusterBits < MIN_CLUSTER_BITS || clusterBits > MAX_CLUSTER_BITS) {
    throw invalid(`its cluster_bits are ${clusterBits}`);
  }
  const clusterSize = 2 ** clusterBits;
  const features = version === 2 ? V2_FEATURES : parseFeatures(bytes, clusterSize);
  refuseIncomplete(bytes);
  const bytesOnDisk = safeInteger(bytes.readBigUInt64BE(24), 'its size');
  const size = bytesOnDisk - (bytesOnDisk % SECTOR);
  const l1Entries = bytes.readUInt32BE(36);
  const l1TableOffset = safeInteger(bytes.readBigUInt64BE(40), 'its L1 table offset');
  if (l1TableOffset % clusterSize !== 0) throw invalid('its L1 table is not aligned');
  if (features.extendedL2 && clusterBits < MIN_EXTENDED_CLUSTER_BITS) throw invalid('its subclusters are too small');
  const clustersPerTable = clusterSize / (features.extendedL2 ? EXTENDED_L2_ENTRY : L2_ENTRY);
  const needed = Math.ceil(size / (clusterSize * clustersPerTable));
  if (l1Entries * L1_ENTRY > MAX_L1_LENGTH) throw invalid('its L1 table is too large');
  if (l1Entries < needed) throw invalid('its L1 table is too small for its size');
  if (needed > 0 && l1TableOffset === 0) throw invalid('its L1 table lies in its header');
  const snapshots = bytes.readUInt32BE(60);
  const l1Length = needed * L1_ENTRY;
  return { version, clusterBits, clusterSize, size, l1TableOffset, l1Length, clustersPerTable, snapshots, ...features };
}

/** Refuses an image that is incomplete without another file or a key. */
function refuseIncomplete(bytes: Buffer): void {
  refuseBackingFile(bytes, failures);
  const encryption = encryptionName(bytes);
  if (encryption !== undefined) throw unsupported(`is encrypted (${encryption}): decrypt it with qemu-img convert`);
}

/** Returns the name of the image's encryption, if any. */
export function encryptionName(bytes: Buffer): string | undefined {
  const method = bytes.readUInt32BE(32);
  return method === 0 ? undefined : (encryptions[method] ?? `method ${method}`);
}

function parseFeatures(bytes: Buffer, clusterSize: number): Features {
  if (bytes.length < V3_HEADER_LENGTH) throw truncated();
  const incompatible = bytes.readBigUInt64BE(72);
  const refcountOrder = bytes.readUInt32BE(96);
  const headerLength = bytes.readUInt32BE(100);
  if (headerLength < V3_HEADER_LENGTH || headerLength > clusterSize) {
    throw invalid(`its header_length is ${headerLength}`);
  }
  if (refcountOrder > MAX_REFCOUNT_ORDER) throw invalid(`its refcount_order is ${refcountOrder}`);
  const extensions = parseExtensions(bytes.subarray(headerLength, clusterSize));
  if ((incompatible & feature.dataFile) !== 0n) {
    const name = extensions.dataFile === undefined ? 'another file' : `another file, ${extensions.dataFile}`;
    throw unsupported(`keeps its data in ${name}, without which it is incomplete: flatten it with qemu-img convert`);
  }
  if ((incompatible & feature.corrupt) !== 0n) {
    throw invalid('it is marked as corrupt; repair it with qemu-img check -r all');
  }
  const unknown = incompatible & ~(feature.dirty | feature.compressionType | feature.extendedL2);
  if (unknown !== 0n) {
    throw unsupported(`uses features that are not known here: ${nameFeatures(unknown, extensions.features)}`);
  }
  return {
    compressionType: parseCompressionType(bytes, headerLength, (incompatible & feature.compressionType) !== 0n),
    extendedL2: (incompatible & feature.extendedL2) !== 0n,
    isDirty: (incompatible & feature.dirty) !== 0n,
  };
}

/** Parses the compression type. The feature bit marks a value other than the one that readers without it assume. */
function parseCompressionType(bytes: Buffer, headerLength: number, isMarked: boolean): 'zlib' | 'zstd' {
  const type = headerLength > V3_HEADER_LENGTH ? (bytes[V3_HEADER_LENGTH] ?? 0) : 0;
  if (isMarked !== (type !== 0)) throw invalid('its compression_type contradicts its features');
  if (type > 1) throw unsupported(`has compression_type ${type}, which is not known`);
  return type === 1 ? 'zstd' : 'zlib';
}

function safeInteger(value: bigint, what: string): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw invalid(`${what} is ${value}`);
  return number;
}
