import { RandomAccessNeeded, TransferError } from '../../base/errors.ts';

/** Makes the failures of one format's decoder. */
export interface ImageFailures {
  readonly invalid: (why: string) => TransferError;
  /** The file is shorter than its content. */
  readonly truncated: () => TransferError;
  /** @param what follows the image's name: "is encrypted" */
  readonly unsupported: (what: string) => TransferError;
  /** The image has a parent, or keeps its data elsewhere. */
  readonly incomplete: () => TransferError;
  /**
   * The image is valid, but cannot be read in order, or only by qemu-img.
   *
   * @param what follows the image's name: "has its tables at its end"
   */
  readonly needsRandomAccess: (what: string) => RandomAccessNeeded;
}

/** @param name of the format, for people */
export function imageFailures(name: string): ImageFailures {
  const unsupported = (what: string): TransferError =>
    new TransferError('UnsupportedImage', `the ${name} image ${what}`);
  return {
    invalid: (why) => new TransferError('InvalidImage', `the ${name} image is invalid: ${why}`),
    truncated: () => new TransferError('TruncatedImage', `the ${name} image ends too early: the file is incomplete`),
    unsupported,
    incomplete: () =>
      unsupported('refers to other files, without which it is incomplete: flatten it with qemu-img convert'),
    needsRandomAccess: (what) => new RandomAccessNeeded(`the ${name} image ${what}`),
  };
}
