import type { IncomingHttpHeaders } from 'node:http';
import { PREFIX_SHA256_HEADER, SHA256_HEADER } from '../../server/upload-protocol.ts';
import type { UploadOffer } from './upload-feed.ts';
import { UploadRefusal } from './upload-refusal.ts';

/**
 * Reads what a request says of the image in its body.
 *
 * @throws UploadRefusal where its headers contradict each other, or cannot be understood
 */
export function parseOffer(headers: IncomingHttpHeaders): UploadOffer {
  const length = headers['content-length'] === undefined ? undefined : Number(headers['content-length']);
  const range = parseContentRange(headers['content-range']);
  if (range !== undefined && length !== undefined && length !== range.length) {
    throw new UploadRefusal(400, `Content-Range has ${range.length} bytes, and Content-Length ${length}: send as many`);
  }
  return {
    from: range?.from ?? 0,
    size: range === undefined ? length : range.size,
    encoding: headers['content-encoding'],
    sha256: digestIn(headers, SHA256_HEADER),
    prefixDigest: digestIn(headers, PREFIX_SHA256_HEADER),
  };
}

/**
 * Reads what a request with a multipart form says of the image in one of its parts: its size is not known before its
 * end, and its digest is not that of the body.
 */
export function parseFormOffer(headers: IncomingHttpHeaders): UploadOffer {
  if (headers['content-range'] !== undefined) {
    throw new UploadRefusal(400, 'a form cannot continue an upload: send the image without a form, or all of it');
  }
  const length = headers['content-length'];
  return { from: 0, size: undefined, ...(length === undefined ? {} : { transferSize: Number(length) }) };
}

/** Returns the SHA-256 in a header, in lower-case hexadecimal. */
export function digestIn(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  if (value === undefined) return undefined;
  const digest = String(value).trim().toLowerCase();
  if (/^[0-9a-f]{64}$/.test(digest)) return digest;
  throw new UploadRefusal(400, `the header ${name} is no SHA-256: send it as 64 hexadecimal digits`);
}

interface ContentRange {
  from: number;
  length: number;
  /** Size of the whole image. */
  size: number;
}

/** Parses a Content-Range of a request (RFC 9110 section 14.4); the size of the image has to be known. */
function parseContentRange(value: string | undefined): ContentRange | undefined {
  if (value === undefined) return undefined;
  const [, first = '', last = '', total = ''] = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/i.exec(value.trim()) ?? [];
  const [from, end, size] = [Number(first), Number(last) + 1, Number(total)];
  if (total === '' || end <= from || end > size) {
    throw new UploadRefusal(400, 'Content-Range cannot be understood: send it as "bytes FIRST-LAST/SIZE"');
  }
  return { from, length: end - from, size };
}
