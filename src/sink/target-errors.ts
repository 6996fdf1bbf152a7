import { TransferError, systemCode } from '../base/errors.ts';
import { formatExactBytes } from '../base/format-bytes.ts';

export function imageTooLarge(path: string, size: number, usable: number, atLeast = false): TransferError {
  return new TransferError(
    'ImageTooLarge',
    `the image is ${atLeast ? 'at least ' : ''}${formatExactBytes(size)}, and ${path} has room for ` +
      `${formatExactBytes(usable)}: request a larger volume`,
  );
}

/** Says what a failed system call on the target means; other errors are passed through. */
export function asTargetError(error: unknown, path: string): unknown {
  const code = systemCode(error);
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new TransferError('NoSpace', `no space left while writing ${path}: use a larger volume`, { cause: error });
    case 'EROFS':
      return new TransferError(
        'TargetNotWritable',
        `cannot write ${path} (${code}): its volume is mounted read-only, as some drivers do for a claim that is only ` +
          'ReadOnlyMany: name ReadWriteOnce before it, and mount the claim read-only where it is used',
        { cause: error },
      );
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
