import { TransferError, type TransferErrorCode } from '../../base/errors.ts';
import { DoubtfulMember } from '../../image/unwrap/doubtful-member.ts';
import type { OpenedImage } from './opened-image.ts';

/** Failures of importing something that is not a disk image. */
const NO_DISK = new Set<TransferErrorCode>([
  'NotAnImage',
  'InvalidImage',
  'TruncatedImage',
  'UnsupportedImage',
  'ImageTooLarge',
]);

/**
 * Marks the failure of a member that only might be a disk: it is another kind of file, and the disk may come after it.
 */
export function doubted(error: unknown, { doubtfulIn }: Pick<OpenedImage, 'doubtfulIn'>): unknown {
  const archive = doubtfulIn();
  if (archive === undefined || !(error instanceof TransferError) || error instanceof DoubtfulMember) return error;
  return NO_DISK.has(error.code) ? new DoubtfulMember(archive, error) : error;
}
