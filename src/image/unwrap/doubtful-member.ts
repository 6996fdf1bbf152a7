import { TransferError, type TransferErrorCode } from '../../base/errors.ts';

/** Failures of a second pass over an archive that has no other disk, or cannot be read again. */
export const FOUND_NOTHING: ReadonlySet<TransferErrorCode> = new Set(['NotAnImage', 'SourceNotReadable']);

/**
 * A member of an archive was taken for the disk because it might be one, but is not: a certain one follows, or it
 * cannot be read as a disk. Reading the archive again finds the disk among the other members, if it is there.
 */
export class DoubtfulMember extends TransferError {
  /** Nesting depth of the archive; the outermost is 0. */
  readonly archive: number;

  /** The failure to report where the archive cannot be read again, or has no certain disk. */
  readonly refusal: TransferError;

  constructor(archive: number, refusal: TransferError) {
    super(refusal.code, refusal.message, { cause: refusal });
    this.archive = archive;
    this.refusal = refusal;
  }
}
