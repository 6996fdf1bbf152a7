import { TransferError } from '../../base/errors.ts';
import { formatBytes } from '../../base/format-bytes.ts';
import { DecodingFailed, type DecodingFailure } from '../native/stream-codec.ts';
import { LARGEST_WINDOW } from '../native/zstd-format.ts';
import type { Compression } from './compression.ts';

/** Says what is wrong with compressed data. */
export function decompressionFailure(kind: Compression, failure: DecodingFailure, cause?: unknown): TransferError {
  const unsupported = (what: string): TransferError =>
    new TransferError('UnsupportedImage', `the ${kind} data ${what}`, { cause });
  switch (failure) {
    case 'truncated':
      return new TransferError('TruncatedImage', `the ${kind} data ends too early: the file is incomplete`, { cause });
    case 'memory':
      return new TransferError('UnsupportedImage', `decompressing this ${kind} data takes more memory than allowed`, {
        cause,
      });
    case 'foreign':
      return new TransferError(
        'InvalidImage',
        `the ${kind} data is followed by something that is not ${kind}: cut that off, or compress the image anew`,
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
      return new TransferError('InvalidImage', `the ${kind} data is damaged`, { cause });
  }
}
