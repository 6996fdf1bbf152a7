import * as z from 'zod';

/** Longest token in characters; servers accept no longer headers. */
const LONGEST = 16 * 1024;

/** A token that can be sent in a header: the characters of RFC 6750 section 2.1, and those that servers use besides. */
export const bearerToken = z
  .string()
  .min(1)
  .max(LONGEST)
  .regex(/^[\x21-\x7e]+$/);

export function bearerAuthorization(token: string): string {
  return `Bearer ${token}`;
}
