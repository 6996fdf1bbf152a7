import type { IncomingHttpHeaders } from 'node:http';

/** What the first answer told about an object, which later answers must agree with. */
export interface ObjectIdentity {
  /** In bytes. */
  size: number | undefined;
  /** A strong one only: weak tags say that two versions mean the same, not that their bytes are the same. */
  entityTag: string | undefined;
  lastModified: string | undefined;
  acceptsRanges: boolean;
}

export function identityOf(
  headers: IncomingHttpHeaders,
  { size, acceptsRanges }: Pick<ObjectIdentity, 'size' | 'acceptsRanges'>,
): ObjectIdentity {
  return { size, acceptsRanges, entityTag: strongEntityTag(headers.etag), lastModified: headers['last-modified'] };
}

/** Another text for every version of the object; undefined where the server does not tell versions apart. */
export function versionOf({ size, entityTag, lastModified }: ObjectIdentity): string | undefined {
  const validator = entityTag ?? lastModified;
  return validator === undefined ? undefined : `${validator}, ${size ?? 'unknown'} bytes`;
}

/** Whether an answer speaks of the same version of the object. */
export function isSameObject(headers: IncomingHttpHeaders, size: number | undefined, known: ObjectIdentity): boolean {
  if (size !== undefined && known.size !== undefined && size !== known.size) return false;
  return known.entityTag === undefined
    ? headers['last-modified'] === known.lastModified
    : strongEntityTag(headers.etag) === known.entityTag;
}

/**
 * Headers that ask for a part of this version of the object and no other (RFC 9110 section 13.1.5).
 *
 * @param end the first offset that is not wanted; everything is where it is undefined
 */
export function rangeHeaders(start: number, end: number | undefined, known?: ObjectIdentity): Record<string, string> {
  const range = `bytes=${start}-${end === undefined ? '' : end - 1}`;
  const validator = known?.entityTag ?? known?.lastModified;
  return { range, ...(validator === undefined ? {} : { 'if-range': validator }) };
}

/** RFC 9110 section 14.4 */
export function parseContentRange(
  header: string | undefined,
): { start: number; end: number; total: number | undefined } | undefined {
  const match = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/.exec(header ?? '');
  if (match === null) return undefined;
  return {
    start: Number(match[1]),
    end: Number(match[2]) + 1,
    total: match[3] === '*' ? undefined : Number(match[3]),
  };
}

/** The size that an answer 416 tells. */
export function parseUnsatisfiedTotal(header: string | undefined): number | undefined {
  const match = /^bytes \*\/(\d{1,15})$/.exec(header ?? '');
  return match === null ? undefined : Number(match[1]);
}

export function parseContentLength(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,15}$/.test(header) ? Number(header) : undefined;
}

function strongEntityTag(header: string | undefined): string | undefined {
  return header?.startsWith('"') ? header : undefined;
}
