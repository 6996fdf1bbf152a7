import { TransferError } from '../../base/errors.ts';

/**
 * A member of an archive was taken for the disk that only might be one, and it is none: a certain one comes behind it, or
 * it cannot be read as a disk. Whoever can read the archive again finds the disk among the others, if it is there.
 */
export class DoubtfulMember extends TransferError {
  /** How deep the archive is nested in others; the outermost is 0. */
  readonly archive: number;

  /** What is to be said where the archive cannot be read again, or has no certain disk. */
  readonly refusal: TransferError;

  constructor(archive: number, refusal: TransferError) {
    super(refusal.code, refusal.message, { cause: refusal });
    this.archive = archive;
    this.refusal = refusal;
  }
}
