import { TransferError } from '../../base/errors.ts';
import { behindSkippableFrames } from '../../codec/decompress/skippable-frames.ts';
import { isTarHeader } from '../archive/tar-reader.ts';
import { hasDiskSign } from './disk-signs.ts';
import { type DiskFormat, drivers } from './drivers.ts';
import { describeDeflated } from './foreign/deflated.ts';
import { describeForeignFile } from './foreign/files.ts';
import { findForeignImage } from './foreign/images.ts';
import { beginsAsDisk, refuseOddLength, SECTOR } from './plausible-disk.ts';
import { raw } from './raw/driver.ts';
import { guessRaw, type RawGuess } from './raw-end.ts';
import { isIn } from './signature.ts';

/** Bytes at the start of a disk that suffice to recognise its format. */
export const HEAD_LENGTH = 64 * 1024;

const SMALLEST_RAW = 64 * 1024;

/** Longest first: of two signatures that match, the longer one is more specific. */
const signatures = drivers
  .flatMap(({ name, signature }) => (signature === undefined ? [] : [{ name, signature }]))
  .toSorted((a, b) => b.signature.bytes.length - a.signature.bytes.length);

/** What an object is, by its start. */
export interface RecognisedFormat {
  format: DiskFormat;
  /** Set where only the end of the object can show that it is not raw. */
  guess: RawGuess | undefined;
}

/**
 * Recognises the disk image format of an object by its start. An object that is nothing else known, and may be a disk,
 * is raw.
 *
 * @param head the first HEAD_LENGTH bytes, or all there are
 * @param size of the whole object in bytes, where known; otherwise its end has to be checked as well
 * @throws TransferError NotAnImage, UnsupportedImage
 */
export function recogniseFormat(head: Buffer, size: number | undefined, location: string): DiskFormat {
  const total = head.length < HEAD_LENGTH ? head.length : size;
  if (total === 0) throw new TransferError('NotAnImage', `${location} is empty`);
  const format = formatBySignature(head);
  if (format !== undefined) return format;
  if (!hasDiskSign(head)) refuseForeign(head, location);
  if (total !== undefined && !beginsAsDisk(head)) refuseOddLength(total, location);
  return raw.name;
}

/** Recognises an object as {@link recogniseFormat} does, and returns what its end still has to confirm. */
export function recognise(head: Buffer, size: number | undefined, location: string): RecognisedFormat {
  const format = recogniseFormat(head, size, location);
  return { format, guess: format === raw.name ? guessRaw(head, location) : undefined };
}

/**
 * Whether a file among others is a disk image, by its start and size: raw ones often have no signature, but are neither
 * small, nor text, nor anything else that is known.
 */
export function isProbablyDisk(head: Buffer, size: number): boolean {
  if (formatBySignature(head) !== undefined) return true;
  if (isTarHeader(head.subarray(0, SECTOR))) return true;
  if (size < SMALLEST_RAW || size % SECTOR !== 0) return false;
  return hasDiskSign(head) || describeForeignFile(head) === undefined;
}

function formatBySignature(head: Buffer): DiskFormat | undefined {
  return signatures.find(({ signature }) => isIn(head, signature))?.name;
}

function refuseForeign(head: Buffer, location: string): void {
  const image = findForeignImage(behindSkippableFrames(head) ?? head);
  const deflated = image === undefined ? describeDeflated(head) : undefined;
  const what = image?.what ?? deflated;
  if (what !== undefined) {
    const advice = image?.advice ?? 'unpack or convert it first';
    throw new TransferError('UnsupportedImage', `${location} is ${what}, which cannot be read here: ${advice}`);
  }
  const file = describeForeignFile(head);
  if (file === undefined) return;
  throw new TransferError('NotAnImage', `${location} is ${file}, not a disk image: check the URL or the file`);
}
