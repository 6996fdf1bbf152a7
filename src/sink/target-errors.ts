import { systemCode, TransferError } from '../base/errors.ts';
import { formatExactBytes } from '../base/format-bytes.ts';

interface TooLarge {
  /** Size of the image in bytes. */
  readonly size: number;
  /** Whether the image may be larger than `size`. */
  readonly isAtLeast?: boolean;
  /** The largest size that would fit, in bytes. */
  readonly largest: number;
  /** Bytes of the volume that the file system itself occupies, where that is the reason. */
  readonly taken?: number;
}

/** Makes the failure of an image that does not fit into its target. */
export function imageTooLarge(path: string, { size, isAtLeast = false, largest, taken = 0 }: TooLarge): TransferError {
  const why = taken > 0 ? `, as the file system itself has taken ${formatExactBytes(taken)} of the volume` : '';
  return new TransferError(
    'ImageTooLarge',
    `the image is ${isAtLeast ? 'at least ' : ''}${formatExactBytes(size)}, and ${path} has room for ` +
      `${formatExactBytes(largest)}${why}: request a larger volume`,
  );
}

/** Explains a failed system call on the target; returns other errors as they are. */
export function asTargetError(error: unknown, path: string): unknown {
  const code = systemCode(error);
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new TransferError('NoSpace', `no space left while writing ${path}: use a larger volume`, { cause: error });
    case 'EROFS':
      return new TransferError('TargetNotWritable', `cannot write ${path} (${code}): its volume is mounted read-only`, {
        cause: error,
      });
    case 'EACCES':
    case 'EPERM':
    case 'EISDIR':
    case 'ENOENT':
    case 'ENOTDIR':
    case 'ELOOP':
    case 'ENXIO':
    case 'ENODEV':
      return new TransferError('TargetNotWritable', `cannot write ${path} (${code}): check its path and permissions`, {
        cause: error,
      });
    default:
      return error;
  }
}
