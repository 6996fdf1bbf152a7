import { isBlockSize } from '../block-size.ts';
import { imageFailures } from '../image-failures.ts';

/**
 * The header; names are those of VMware's Virtual Disk Format 5.0, "Hosted Sparse Extents". Offsets and sizes are in
 * bytes.
 */
export interface SparseHeader {
  /** Size of the disk. */
  capacity: number;
  grainSize: number;
  entriesPerGrainTable: number;
  descriptor: { offset: number; length: number };
  /** Undefined where the grain directory is at the end, and only the footer has its offset. */
  grainDirectoryOffset: number | undefined;
  /** Offset at which the grains begin. */
  overhead: number;
  isCompressed: boolean;
  /** Whether each grain has a marker with its place on the disk. */
  hasMarkers: boolean;
}

export const SECTOR = 512;
export const HEADER_LENGTH = 512;

export const failures = imageFailures('VMDK');
const { invalid, truncated, unsupported } = failures;

const DIRECTORY_AT_END = 0xffffffffffffffffn;
const flag = { compressed: 1 << 16, markers: 1 << 17 };
const DEFLATE = 1;
const LARGEST_GRAIN = 2 * 1024 * 1024;
const MOST_ENTRIES = 512;

/**
 * Parses and validates the header, or the footer, of a sparse extent.
 *
 * @throws TransferError InvalidImage, TruncatedImage, UnsupportedImage
 */
export function parseHeader(bytes: Buffer): SparseHeader {
  if (bytes.length < HEADER_LENGTH) throw truncated();
  const version = bytes.readUInt32LE(4);
  if (version < 1 || version > 3) throw unsupported(`is of version ${version}, which is not known`);
  const flags = bytes.readUInt32LE(8);
  const grainSize = sectors(bytes, 20, 'its grain size');
  const directory = bytes.readBigUInt64LE(56);
  const entriesPerGrainTable = bytes.readUInt32LE(44);
  const isCompressed = (flags & flag.compressed) !== 0;
  if (!isBlockSize(grainSize, SECTOR, LARGEST_GRAIN)) throw invalid(`its grains have ${grainSize} bytes`);
  if (entriesPerGrainTable === 0 || entriesPerGrainTable > MOST_ENTRIES) {
    throw invalid(`its grain tables have ${entriesPerGrainTable} entries`);
  }
  const algorithm = bytes.readUInt16LE(77);
  if (isCompressed && algorithm !== DEFLATE) throw unsupported(`is compressed by method ${algorithm}`);
  return {
    capacity: sectors(bytes, 12, 'its capacity'),
    grainSize,
    entriesPerGrainTable,
    descriptor: { offset: sectors(bytes, 28, 'its descriptor'), length: sectors(bytes, 36, 'its descriptor') },
    grainDirectoryOffset: directory === DIRECTORY_AT_END ? undefined : sectors(bytes, 56, 'its grain directory'),
    overhead: sectors(bytes, 64, 'its overhead'),
    isCompressed,
    hasMarkers: (flags & flag.markers) !== 0,
  };
}

function sectors(bytes: Buffer, at: number, what: string): number {
  const length = Number(bytes.readBigUInt64LE(at)) * SECTOR;
  if (!Number.isSafeInteger(length)) throw invalid(`${what} is beyond any file`);
  return length;
}
