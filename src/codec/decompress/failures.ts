import { TransferError } from '../../base/errors.ts';
import { formatBytes } from '../../base/format-bytes.ts';
import { DecodingFailed, type DecodingFailure } from '../native/stream-codec.ts';
import { LARGEST_WINDOW } from '../native/zstd-format.ts';

/**
 * Makes the failure for invalid compressed data.
 *
 * @param name of the compression
 */
export function decompressionFailure(name: string, failure: DecodingFailure, cause?: unknown): TransferError {
  const unsupported = (what: string): TransferError =>
    new TransferError('UnsupportedImage', `the ${name} data ${what}`, { cause });
  switch (failure) {
    case 'truncated':
      return new TransferError('TruncatedImage', `the ${name} data ends too early: the file is incomplete`, { cause });
    case 'memory':
      return new TransferError('UnsupportedImage', `decompressing this ${name} data takes more memory than allowed`, {
        cause,
      });
    case 'foreign':
      return new TransferError(
        'InvalidImage',
        `the ${name} data is followed by something that is not ${name}: cut that off, or compress the image anew`,
        { cause },
      );
    case 'window': {
      const size = cause instanceof DecodingFailed && cause.window !== undefined ? formatBytes(cause.window) : 'more';
      const most = formatBytes(LARGEST_WINDOW);
      return unsupported(`needs a window of ${size}, and ${most} are the most here: compress it anew without --long`);
    }
    case 'dictionary':
      return unsupported('needs the dictionary that it was compressed with: compress it anew without one');
    case 'damaged':
      return new TransferError('InvalidImage', `the ${name} data is damaged`, { cause });
  }
}
