import type { ImageDetails } from '../image-details.ts';
import { imageFailures } from '../image-failures.ts';

/** Names are those of Microsoft's Virtual Hard Disk Image Format Specification, "Hard Disk Footer Format". */
export interface VhdFooter {
  diskType: number;
  /** Of the disk, in bytes. */
  size: number;
  /** Where the header of a dynamic disk lies, in bytes. */
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
 * Those whose guests see what the geometry makes, which is less than Current Size or the same: Virtual PC, Virtual Server, and qemu where
 * it does as they do. To all others Current Size is the disk's size, as the specification has it.
 */
const creatorsWithGeometry = new Set(['vpc ', 'vs  ', 'qemu']);
/** As in Virtual PC and qemu; the entries of a table reach hardly further. */
const LARGEST_DISK = 2040 * 1024 ** 3;
/** The largest geometry is that of any larger disk, too. */
const LARGEST_GEOMETRY = 65535 * 16 * 255;

/**
 * Reads and checks a footer, of which a dynamic disk begins with a copy.
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

/** Whether a footer begins with these bytes, sound or not. */
export function beginsWithFooter(bytes: Buffer): boolean {
  return bytes.toString('latin1', 0, COOKIE.length) === COOKIE;
}

/** Whether these are the bytes of a footer, as its checksum says. */
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
 * Refuses an image that is of no use without another one.
 *
 * @param bytes the image's start
 * @throws TransferError UnsupportedImage
 */
export function refuseParent(bytes: Buffer): void {
  if (bytes.length < CHECKSUM_AT || bytes.readUInt32BE(60) !== diskTypes.differencing) return;
  throw failures.incomplete();
}

/** What a footer says, whether or not the image is one that can be imported. */
export function describeVhd(bytes: Buffer): ImageDetails {
  if (bytes.length < CHECKSUM_AT) return {};
  const type = bytes.readUInt32BE(60);
  return {
    // Of a fixed one the file is the disk.
    virtualSize: type === diskTypes.fixed ? currentSize(bytes) : diskSize(bytes),
    version: Object.entries(diskTypes).find(([, number]) => number === type)?.[0],
  };
}

/** As the programs that wrote it reckon it. */
function diskSize(footer: Buffer): number {
  const geometry = footer.readUInt16BE(56) * (footer[58] ?? 0) * (footer[59] ?? 0);
  const creator = footer.toString('latin1', 28, 32);
  const hasGeometry = creatorsWithGeometry.has(creator) && geometry > 0 && geometry !== LARGEST_GEOMETRY;
  return hasGeometry ? geometry * SECTOR : currentSize(footer);
}

/** In whole sectors. */
function currentSize(footer: Buffer): number {
  return Math.floor(Number(footer.readBigUInt64BE(48)) / SECTOR) * SECTOR;
}
