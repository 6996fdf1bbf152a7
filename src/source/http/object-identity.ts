import type { IncomingHttpHeaders } from 'node:http';

/**
 * How long after its Last-Modified date a version has to be served for the date to identify it, in milliseconds; clocks
 * differ.
 */
const STRONG_AFTER = 60_000;

/**
 * What is known of a server's support of ranges. `announced` means that it claims support, or has refused a range in
 * another form; nothing is known of `untried`.
 */
export type Ranges = 'proven' | 'announced' | 'untried' | 'none';

/** What the first response says about an object, which later responses have to agree with. */
export interface ObjectIdentity {
  /** Size in bytes. */
  size: number | undefined;
  /** A strong tag only: with a weak one, two versions are equivalent but their bytes may differ. */
  entityTag: string | undefined;
  lastModified: string | undefined;
  /** Whether the date identifies one version (RFC 9110 section 8.8.2.2). */
  isDateStrong: boolean;
  encoding: string | undefined;
  ranges: Ranges;
}

export function identityOf(
  headers: IncomingHttpHeaders,
  { size, ranges }: Pick<ObjectIdentity, 'size' | 'ranges'>,
): ObjectIdentity {
  const lastModified = headers['last-modified'];
  return {
    size,
    ranges,
    lastModified,
    entityTag: strongEntityTag(headers.etag),
    isDateStrong: Date.parse(headers.date ?? '') - Date.parse(lastModified ?? '') >= STRONG_AFTER,
    encoding: headers['content-encoding'],
  };
}

/**
 * Returns a text that differs for every version of the object; undefined where the server does not tell versions apart.
 * The size is not part of it, because some caches report it only once they have the whole object.
 */
export function versionOf({ entityTag, lastModified }: ObjectIdentity): string | undefined {
  return entityTag ?? lastModified;
}

/**
 * Whether a response describes the same version of the object.
 *
 * @param isGuarded whether it is a response to If-Range, which need not repeat what is known (RFC 9110 section 15.3.7)
 */
export function isSameObject(
  headers: IncomingHttpHeaders,
  size: number | undefined,
  known: ObjectIdentity,
  isGuarded = false,
): boolean {
  if (size !== undefined && known.size !== undefined && size !== known.size) return false;
  const agrees = (told: string | undefined, expected: string | undefined): boolean =>
    told === expected || (isGuarded && told === undefined);
  const validator = known.entityTag ?? known.lastModified;
  const told = known.entityTag === undefined ? headers['last-modified'] : headers.etag;
  return agrees(told, validator) && agrees(headers['content-encoding'], known.encoding);
}

/**
 * Whether a response has another tag but otherwise agrees with the known version, as that of another server with the
 * same file would.
 */
export function hasOtherTagOnly(
  headers: IncomingHttpHeaders,
  size: number | undefined,
  known: ObjectIdentity,
): boolean {
  const { entityTag, lastModified } = known;
  if (entityTag === undefined || lastModified === undefined || size === undefined) return false;
  return headers.etag !== entityTag && isSameObject(headers, size, { ...known, entityTag: undefined });
}

/**
 * Requests a part of the object.
 *
 * @param end the first offset that is not requested; undefined for the rest
 */
export function rangeHeader(start: number, end: number | undefined): { range: string } {
  return { range: `bytes=${start}-${end === undefined ? '' : end - 1}` };
}

/** Restricts a request to this version of the object, where it has a strong validator (RFC 9110 section 13.1.5). */
export function guardHeader({
  entityTag,
  lastModified,
  isDateStrong,
}: ObjectIdentity): { 'if-range': string } | undefined {
  const validator = entityTag ?? (isDateStrong ? lastModified : undefined);
  return validator === undefined ? undefined : { 'if-range': validator };
}

/** Parses Content-Range (RFC 9110 section 14.4). Servers write the unit in several ways. */
export function parseContentRange(
  header: string | undefined,
): { start: number; end: number; total: number | undefined } | undefined {
  const match = /^(?:bytes)?[ :=]*(\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/i.exec(header ?? '');
  if (match === null) return undefined;
  return {
    start: Number(match[1]),
    end: Number(match[2]) + 1,
    total: match[3] === '*' ? undefined : Number(match[3]),
  };
}

/** Parses the size in a 416 response. */
export function parseUnsatisfiedTotal(header: string | undefined): number | undefined {
  const match = /^(?:bytes)?[ :=]*\*\/(\d{1,15})$/i.exec(header ?? '');
  return match === null ? undefined : Number(match[1]);
}

export function parseContentLength(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,15}$/.test(header) ? Number(header) : undefined;
}

/** Returns what a response with the whole object says about ranges (RFC 9110 section 14.3). */
export function announcedRanges(header: string | undefined): Ranges {
  const units = header?.toLowerCase().split(/[\s,]+/) ?? [];
  if (units.includes('bytes')) return 'announced';
  return units.includes('none') ? 'none' : 'untried';
}

function strongEntityTag(header: string | undefined): string | undefined {
  return header?.startsWith('"') ? header : undefined;
}
