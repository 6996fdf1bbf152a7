import type { IncomingHttpHeaders } from 'node:http';

/** How long after its date a version has to be sent for no other one to have the same date, in milliseconds: clocks differ. */
const STRONG_AFTER = 60_000;

/**
 * What is known of a server's ranges. `announced` are those that it says it has, or has refused in another form; nothing is
 * known of `untried` ones.
 */
export type Ranges = 'proven' | 'announced' | 'untried' | 'none';

/** What the first answer told about an object, which later answers must agree with. */
export interface ObjectIdentity {
  /** In bytes. */
  size: number | undefined;
  /** A strong one only: weak tags say that two versions mean the same, not that their bytes are the same. */
  entityTag: string | undefined;
  lastModified: string | undefined;
  /** Whether the date stands for one version (RFC 9110 section 8.8.2.2). */
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
 * Another text for every version of the object; undefined where the server does not tell versions apart. Sizes are no part of it: some
 * caches tell none until they have all of the object.
 */
export function versionOf({ entityTag, lastModified }: ObjectIdentity): string | undefined {
  return entityTag ?? lastModified;
}

/**
 * Whether an answer speaks of the same version of the object.
 *
 * @param isGuarded whether it answers If-Range: then it need not repeat what is known (RFC 9110 section 15.3.7)
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

/** Whether an answer has another tag, and else all that the known version had: as from another server with the same file. */
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
 * Asks for a part of the object.
 *
 * @param end the first offset that is not wanted; everything is where it is undefined
 */
export function rangeHeader(start: number, end: number | undefined): { range: string } {
  return { range: `bytes=${start}-${end === undefined ? '' : end - 1}` };
}

/** Asks for this version of the object and no other, where it has a strong validator (RFC 9110 section 13.1.5). */
export function guardHeader({
  entityTag,
  lastModified,
  isDateStrong,
}: ObjectIdentity): { 'if-range': string } | undefined {
  const validator = entityTag ?? (isDateStrong ? lastModified : undefined);
  return validator === undefined ? undefined : { 'if-range': validator };
}

/** RFC 9110 section 14.4. Servers write the unit in several ways. */
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

/** The size that an answer 416 tells. */
export function parseUnsatisfiedTotal(header: string | undefined): number | undefined {
  const match = /^(?:bytes)?[ :=]*\*\/(\d{1,15})$/i.exec(header ?? '');
  return match === null ? undefined : Number(match[1]);
}

export function parseContentLength(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,15}$/.test(header) ? Number(header) : undefined;
}

/** What an answer with all of the object says of ranges (RFC 9110 section 14.3). */
export function announcedRanges(header: string | undefined): Ranges {
  const units = header?.toLowerCase().split(/[\s,]+/) ?? [];
  if (units.includes('bytes')) return 'announced';
  return units.includes('none') ? 'none' : 'untried';
}

function strongEntityTag(header: string | undefined): string | undefined {
  return header?.startsWith('"') ? header : undefined;
}
