import { TransferError } from '../base/errors.ts';
import type { OpenedSource } from '../base/source.ts';
import { compressions } from '../codec/decompress/drivers.ts';

/**
 * Codings that need no decoding: `aws-chunked` only concerned the upload, and the last ones are not codings but occur.
 */
const nothing = ['', 'identity', 'aws-chunked', 'none', 'binary', 'utf-8', '8bit'];
/** Codings that are harmless, including compressions, which are recognised by the content. */
const harmless = new Set([...nothing, ...compressions.flatMap(({ contentCodings }) => contentCodings)]);

/**
 * Refuses an object with a content coding (RFC 9110 section 8.4.1) that its bytes do not reveal: the image would be
 * mistaken for something else.
 *
 * @param location for the message
 * @throws TransferError UnsupportedImage
 */
export function refuseHiddenCoding({ encoding = '' }: OpenedSource, location: string): void {
  const codings = encoding.split(',').map((coding) => coding.trim().toLowerCase());
  const hidden = codings.find((coding) => !harmless.has(coding));
  if (hidden === undefined) return;
  throw new TransferError(
    'UnsupportedImage',
    `${location} is stored with the Content-Encoding ${hidden}, which cannot be undone here: store it without one, or ` +
      'compressed with gzip, zstd or xz',
  );
}
