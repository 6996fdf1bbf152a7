import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { HttpResponse } from '../http/client.ts';
import { parseContentLength, parseContentRange } from '../http/object-identity.ts';

/** Longest ETag, date or number in characters; usual ones have up to 70. */
const LONGEST = 512;

/** What a server says about the version of an object; more than one of them where it says more. */
export interface Validators {
  /** Generation of an object of Google Cloud Storage. */
  readonly generation?: string;
  /** ETag as it is sent, perhaps a weak one. */
  readonly etag?: string;
  /** Version of an object of a bucket with versions. */
  readonly versionId?: string;
  /** Last-Modified as milliseconds since the epoch. */
  readonly modified?: string;
  /** In bytes. */
  readonly size?: string;
}

/**
 * Returns what identifies the version of the object that a response is about; undefined where nothing does.
 *
 * Mirrors give one file ETags of their own, but its own date. So where a redirect has led to another host, the date
 * comes before the ETag.
 */
export function validatorsOf({ headers, place }: Pick<HttpResponse, 'headers' | 'place'>): Validators | undefined {
  const etag = textOf(headers.etag);
  const generation = textOf(headers['x-goog-generation']);
  if (generation !== undefined) return { generation, ...(etag === undefined ? {} : { etag }) };
  const dated = dateOf(headers);
  if (place?.isAtFirstOrigin === false && dated?.size !== undefined) return dated;
  if (etag !== undefined && opaqueTag(etag) !== '') return { etag };
  const versionId = textOf(headers['x-amz-version-id']);
  return versionId === undefined || versionId === 'null' ? dated : { versionId };
}

/** Returns the digest that stands for a version: whatever else the validators have, it is made of the strongest one. */
export function digestOf({ generation, etag, versionId, modified, size }: Validators): string {
  const [kind, value] =
    generation !== undefined
      ? ['generation', generation]
      : etag !== undefined
        ? ['etag', opaqueTag(etag)]
        : versionId !== undefined
          ? ['version', versionId]
          : ['modified', `${modified} ${size ?? ''}`];
  return `sha256:${createHash('sha256').update(`${kind} ${value}`).digest('hex')}`;
}

/**
 * Returns the condition by which only another version than the known one is described; none where the validators are
 * not those of the digest, or have no ETag. A date is no condition: a file can be replaced by an older one.
 */
export function conditionOf(
  known: { digest: string; validators?: Validators | undefined } | undefined,
): { 'if-none-match': string } | undefined {
  const etag = textOf(known?.validators?.etag);
  if (known?.validators === undefined || etag === undefined) return undefined;
  return digestOf(known.validators) === known.digest ? { 'if-none-match': etag } : undefined;
}

/** Returns the date of the object, with its size if that is told; undefined where there is none. */
function dateOf(headers: IncomingHttpHeaders): Validators | undefined {
  const modified = Date.parse(headers['last-modified'] ?? '');
  if (Number.isNaN(modified)) return undefined;
  const range = parseContentRange(headers['content-range']);
  const size = range === undefined ? parseContentLength(headers['content-length']) : range.total;
  return { modified: String(modified), ...(size === undefined ? {} : { size: String(size) }) };
}

/**
 * Returns a tag without what tells that it is weak. Servers call the tag of a file weak that was written in this
 * second, and strong afterwards.
 */
function opaqueTag(etag: string): string {
  return etag.replace(/^W\//, '').replace(/^"(.*)"$/, '$1');
}

function textOf(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' && header.length <= LONGEST && /^[\x20-\x7e]+$/.test(header) ? header : undefined;
}
