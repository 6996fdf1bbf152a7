import { compressions } from '../codec/decompress/drivers.ts';
import { TransferError } from '../base/errors.ts';
import type { OpenedSource } from '../base/source.ts';

/** There is nothing to undo: `aws-chunked` is of the upload, the last ones are no codings but written. */
const nothing = ['', 'identity', 'aws-chunked', 'none', 'binary', 'utf-8', '8bit'];
/** The content of what is compressed shows it. */
const harmless = new Set([...nothing, ...compressions.flatMap(({ contentCodings }) => contentCodings)]);

/**
 * Refuses an object whose server says that its bytes are coded (RFC 9110 section 8.4.1) in a way that they do not show: it would be
 * taken for something else.
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
