import { crc32c } from './crc32c.ts';
import { failures } from './failures.ts';

/** Bytes at the start of a file with its headers and region tables ([MS-VHDX] section 2.2). */
export const HEADERS_LENGTH = 320 * 1024;

const headersAt = [64 * 1024, 128 * 1024];
const HEADER_LENGTH = 4096;
const VERSION = 1;
const CHECKSUM_AT = 4;

/** The fields of the current header that are needed. Offsets and sizes are in bytes. */
export interface CurrentHeader {
  /** Whether the log may contain entries that have to be replayed. */
  hasLog: boolean;
  log: { offset: number; length: number };
}

/**
 * Returns the valid header with the higher sequence number ([MS-VHDX] section 2.2.2).
 *
 * @param bytes the first HEADERS_LENGTH bytes of the image
 * @throws TransferError InvalidImage
 */
export function currentHeader(bytes: Buffer): CurrentHeader {
  const valid = headersAt
    .map((at) => bytes.subarray(at, at + HEADER_LENGTH))
    .filter((header) => hasChecksum(header, 'head') && header.readUInt16LE(66) === VERSION)
    .sort((one, other) => Number(other.readBigUInt64LE(8) - one.readBigUInt64LE(8)));
  const [header] = valid;
  if (header === undefined) throw failures.invalid('its headers are damaged');
  return {
    hasLog: header.subarray(48, 64).some((byte) => byte !== 0),
    log: { offset: Number(header.readBigUInt64LE(72)), length: header.readUInt32LE(68) },
  };
}

/** Whether a structure of the header section has the signature and a valid checksum. */
export function hasChecksum(structure: Buffer, signature: string): boolean {
  if (structure.toString('latin1', 0, signature.length) !== signature) return false;
  const copy = Buffer.from(structure);
  copy.writeUInt32LE(0, CHECKSUM_AT);
  return crc32c(copy) === structure.readUInt32LE(CHECKSUM_AT);
}
