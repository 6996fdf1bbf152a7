import type { IncomingHttpHeaders } from 'node:http';
import { TransferError } from '../errors.ts';
import { describeUrl } from './location.ts';

/**
 * Codings by which a body is something else than the file, and that are not decoded here (IANA's registry of content codings). gzip and
 * zstd are recognised by their content, whatever is said of it; what else servers write into the field stands for no coding.
 */
const unknownCodings = new Set(['br', 'deflate', 'compress', 'x-compress', 'dcb', 'dcz', 'exi', 'pack200-gzip']);

/** @throws TransferError UnsupportedImage where a body has to be decoded in a way that is not known */
export function refuseUnknownCodings(headers: IncomingHttpHeaders, url: URL): void {
  const codings = headers['content-encoding']?.toLowerCase().split(/[\s,]+/) ?? [];
  const unknown = codings.find((coding) => unknownCodings.has(coding));
  if (unknown === undefined) return;
  throw new TransferError(
    'UnsupportedImage',
    `${describeUrl(url)} is sent with Content-Encoding ${unknown}, which is not decoded here: have it stored or served without, ` +
      'or with gzip or zstd',
  );
}
