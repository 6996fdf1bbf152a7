import type { ImageDetails } from '../image-details.ts';
import { backingFileName } from './backing-file.ts';
import { nameFeatures, parseExtensions } from './extensions.ts';
import { encryptionName, feature, V2_HEADER_LENGTH, V3_HEADER_LENGTH } from './header.ts';

const LAZY_REFCOUNTS = 1n;

/** Describes a qcow2 header, whether or not the image can be imported. */
export function describeQcow2(bytes: Buffer): ImageDetails {
  if (bytes.length < V2_HEADER_LENGTH) return {};
  const version = bytes.readUInt32BE(4);
  const clusterSize = 2 ** bytes.readUInt32BE(20);
  const details: ImageDetails = {
    virtualSize: Number(bytes.readBigUInt64BE(24)),
    version: `${version}`,
    clusterSize,
    compression: 'zlib',
    snapshots: bytes.readUInt32BE(60),
    backingFile: backingFileName(bytes),
    encryption: encryptionName(bytes),
  };
  if (version < 3 || bytes.length < V3_HEADER_LENGTH) return details;
  const incompatible = bytes.readBigUInt64BE(72);
  const headerLength = bytes.readUInt32BE(100);
  const { dataFile, features: names } = parseExtensions(bytes.subarray(headerLength, clusterSize));
  const isZstd = headerLength > V3_HEADER_LENGTH && bytes[V3_HEADER_LENGTH] === 1;
  const features: string[] = [];
  if ((incompatible & feature.dirty) !== 0n) features.push('dirty');
  if ((incompatible & feature.corrupt) !== 0n) features.push('corrupt');
  if ((incompatible & feature.extendedL2) !== 0n) features.push('extended L2');
  if ((bytes.readBigUInt64BE(80) & LAZY_REFCOUNTS) !== 0n) features.push('lazy refcounts');
  const unknown = incompatible & ~Object.values(feature).reduce((all, bit) => all | bit);
  if (unknown !== 0n) features.push(nameFeatures(unknown, names));
  return {
    ...details,
    compression: isZstd ? 'zstd' : 'zlib',
    dataFile: (incompatible & feature.dataFile) === 0n ? undefined : (dataFile ?? 'unnamed'),
    features: features.length === 0 ? undefined : features,
  };
}
