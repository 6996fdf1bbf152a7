import { TransferError } from '../errors.ts';
import type { DecodingFailure } from '../native/stream-codec.ts';
import type { Compression } from './compression.ts';

/** Says what is wrong with compressed data. */
export function decompressionFailure(kind: Compression, failure: DecodingFailure, cause?: unknown): TransferError {
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
    case 'damaged':
      return new TransferError('InvalidImage', `the ${kind} data is damaged`, { cause });
  }
}
