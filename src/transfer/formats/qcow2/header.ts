import { TransferError } from '../../errors.ts';

/** Names are those of the specification (docs/interop/qcow2.txt of QEMU). Offsets and sizes in bytes. */
export interface Header {
  version: 2 | 3;
  clusterBits: number;
  clusterSize: number;
  size: number;
  l1Size: number;
  l1TableOffset: number;
  compressionType: 'zlib' | 'zstd';
  /** Whether L2 entries tell of subclusters. */
  extendedL2: boolean;
}

/** The header's fields that are of use here. */
export const HEADER_LENGTH = 112;

const V2_HEADER_LENGTH = 72;
const V3_HEADER_LENGTH = 104;
const MIN_CLUSTER_BITS = 9;
const MAX_CLUSTER_BITS = 21;
const MAX_L1_BYTES = 32 * 1024 * 1024;
const L1_ENTRY = 8;
const L2_ENTRY = 8;
const EXTENDED_L2_ENTRY = 16;

type Features = Pick<Header, 'compressionType' | 'extendedL2'>;

const V2_FEATURES: Features = { compressionType: 'zlib', extendedL2: false };

const feature = { dirty: 1n, corrupt: 2n, dataFile: 4n, compressionType: 8n, extendedL2: 16n };

/**
 * Reads and checks a header.
 *
 * @throws TransferError InvalidImage, TruncatedImage, UnsupportedImage
 */
export function parseHeader(bytes: Buffer): Header {
  if (bytes.length < V2_HEADER_LENGTH) throw truncated();
  const version = bytes.readUInt32BE(4);
  if (version !== 2 && version !== 3)
    throw new TransferError('UnsupportedImage', `qcow2 version ${version} is not known`);
  const clusterBits = bytes.readUInt32BE(20);
  if (clusterBits < MIN_CLUSTER_BITS || clusterBits > MAX_CLUSTER_BITS) {
    throw invalid(`its cluster_bits are ${clusterBits}`);
  }
  if (bytes.readBigUInt64BE(8) !== 0n) {
    throw new TransferError(
      'UnsupportedImage',
      'the qcow2 image has a backing file, without which it is incomplete: flatten it with qemu-img convert',
    );
  }
  if (bytes.readUInt32BE(32) !== 0) {
    throw new TransferError('UnsupportedImage', 'the qcow2 image is encrypted: decrypt it with qemu-img convert');
  }
  const clusterSize = 2 ** clusterBits;
  const size = safeInteger(bytes.readBigUInt64BE(24), 'its size');
  const l1Size = bytes.readUInt32BE(36);
  const l1TableOffset = safeInteger(bytes.readBigUInt64BE(40), 'its L1 table offset');
  if (l1TableOffset % clusterSize !== 0) throw invalid('its L1 table is not aligned');
  const features = version === 2 ? V2_FEATURES : parseFeatures(bytes);
  const entriesOfL2 = clusterSize / (features.extendedL2 ? EXTENDED_L2_ENTRY : L2_ENTRY);
  const needed = Math.ceil(size / (clusterSize * entriesOfL2));
  if (l1Size * L1_ENTRY > MAX_L1_BYTES) throw invalid('its L1 table is too large');
  if (l1Size < needed) throw invalid('its L1 table is too small for its size');
  return { version, clusterBits, clusterSize, size, l1Size: needed, l1TableOffset, ...features };
}

function parseFeatures(bytes: Buffer): Features {
  if (bytes.length < V3_HEADER_LENGTH) throw truncated();
  const incompatible = bytes.readBigUInt64BE(72);
  const headerLength = bytes.readUInt32BE(100);
  if (headerLength < V3_HEADER_LENGTH) throw invalid(`its header_length is ${headerLength}`);
  if ((incompatible & feature.dataFile) !== 0n) {
    throw new TransferError(
      'UnsupportedImage',
      'the qcow2 image keeps its data in another file, without which it is incomplete: flatten it with qemu-img convert',
    );
  }
  if ((incompatible & feature.corrupt) !== 0n) {
    throw invalid('it is marked as corrupt; repair it with qemu-img check -r all');
  }
  const known = feature.dirty | feature.compressionType | feature.extendedL2;
  if ((incompatible & ~known) !== 0n) {
    throw new TransferError('UnsupportedImage', 'the qcow2 image uses features that are not known here');
  }
  const extendedL2 = (incompatible & feature.extendedL2) !== 0n;
  if ((incompatible & feature.compressionType) === 0n) return { compressionType: 'zlib', extendedL2 };
  if (headerLength <= V3_HEADER_LENGTH || bytes.length <= V3_HEADER_LENGTH)
    throw invalid('it names no compression_type');
  const compressionType = bytes[V3_HEADER_LENGTH];
  if (compressionType === 0) return { compressionType: 'zlib', extendedL2 };
  if (compressionType === 1) return { compressionType: 'zstd', extendedL2 };
  throw new TransferError('UnsupportedImage', `qcow2 compression_type ${compressionType} is not known`);
}

export function invalid(why: string): TransferError {
  return new TransferError('InvalidImage', `the qcow2 image is invalid: ${why}`);
}

export function truncated(): TransferError {
  return new TransferError('TruncatedImage', 'the qcow2 image ends too early: the file is incomplete');
}

function safeInteger(value: bigint, what: string): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw invalid(`${what} is ${value}`);
  return number;
}
