import type { ImageDetails } from '../image-details.ts';
import { imageFailures } from '../image-failures.ts';

/**
 * The footer; names are those of Microsoft's Virtual Hard Disk Image Format Specification, "Hard Disk Footer Format".
 */
export interface VhdFooter {
  diskType: number;
  /** Size of the disk in bytes. */
  size: number;
  /** Offset of the header of a dynamic disk, in bytes. */
  dataOffset: number;
}

export const failures = imageFailures('VHD');
const { invalid, truncated } = failures;

export const FOOTER_LENGTH = 512;
export const diskTypes = { fixed: 2, dynamic: 3, differencing: 4 };
export const COOKIE = 'conectix';
const SECTOR = 512;
const CHECKSUM_AT = 64;
/**
 * Creators whose guests see the size by the geometry, which is at most Current Size: Virtual PC, Virtual Server, and
 * QEMU where it imitates them. For all others the size of the disk is Current Size, as specified.
 */
const creatorsWithGeometry = new Set(['vpc ', 'vs  ', 'qemu']);
/** Largest disk in bytes, as in Virtual PC and QEMU; the entries of a table hardly reach further. */
const LARGEST_DISK = 2040 * 1024 ** 3;
/** The largest geometry, in sectors, which any larger disk has, too. */
const LARGEST_GEOMETRY = 65535 * 16 * 255;

/**
 * Parses and validates a footer, of which a dynamic disk begins with a copy.
 *
 * @param bytes the first FOOTER_LENGTH bytes of the image, or all there are
 * @throws TransferError InvalidImage, TruncatedImage, UnsupportedImage
 */
export function parseFooter(bytes: Buffer): VhdFooter {
  if (bytes.length < FOOTER_LENGTH) throw truncated();
  if (!isFooter(bytes)) throw invalid('its footer is damaged');
  refuseParent(bytes);
  const size = diskSize(bytes);
  if (size > LARGEST_DISK) throw invalid('its disk is larger than any');
  const dataOffset = Number(bytes.readBigUInt64BE(16));
  return { diskType: bytes.readUInt32BE(60), size, dataOffset };
}

/** Whether a footer, valid or not, begins with these bytes. */
export function beginsWithFooter(bytes: Buffer): boolean {
  return bytes.toString('latin1', 0, COOKIE.length) === COOKIE;
}

/** Whether these bytes are a footer with a valid checksum. */
export function isFooter(bytes: Buffer): boolean {
  if (bytes.length < FOOTER_LENGTH || !beginsWithFooter(bytes)) return false;
  let sum = 0;
  for (let at = 0; at < FOOTER_LENGTH; at += 1) {
    sum += at >= CHECKSUM_AT && at < CHECKSUM_AT + 4 ? 0 : (bytes[at] ?? 0);
  }
  return bytes.readUInt32BE(CHECKSUM_AT) === ~sum >>> 0;
}

/** Whether a footer begins in these bytes, or may begin at their end. */
export function mayHoldFooter(bytes: Buffer): boolean {
  const text = bytes.toString('latin1');
  if (text.includes(COOKIE)) return true;
  for (let length = 1; length < COOKIE.length; length += 1) {
    if (text.endsWith(COOKIE.slice(0, length))) return true;
  }
  return false;
}

/**
 * Refuses an image that is incomplete without another one.
 *
 * @param bytes the start of the image
 * @throws TransferError UnsupportedImage
 */
export function refuseParent(bytes: Buffer): void {
  if (bytes.length < CHECKSUM_AT || bytes.readUInt32BE(60) !== diskTypes.differencing) return;
  throw failures.incomplete();
}

/** Describes a footer, whether or not the image can be imported. */
export function describeVhd(bytes: Buffer): ImageDetails {
  if (bytes.length < CHECKSUM_AT) return {};
  const type = bytes.readUInt32BE(60);
  return {
    // A fixed image contains the disk as it is.
    virtualSize: type === diskTypes.fixed ? currentSize(bytes) : diskSize(bytes),
    version: Object.entries(diskTypes).find(([, number]) => number === type)?.[0],
  };
}

/** Returns the size as the program that wrote the image computes it. */
function diskSize(footer: Buffer): number {
  const geometry = footer.readUInt16BE(56) * (footer[58] ?? 0) * (footer[59] ?? 0);
  const creator = footer.toString('latin1', 28, 32);
  const hasGeometry = creatorsWithGeometry.has(creator) && geometry > 0 && geometry !== LARGEST_GEOMETRY;
  return hasGeometry ? geometry * SECTOR : currentSize(footer);
}

/** Returns Current Size in whole sectors. */
function currentSize(footer: Buffer): number {
  return Math.floor(Number(footer.readBigUInt64BE(48)) / SECTOR) * SECTOR;
}
