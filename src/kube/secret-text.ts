import type { Secret } from './builtin-resources.ts';

/** Returns the text of one key of a Secret; undefined where there is no Secret, or it has no such key. */
export function secretText(secret: Pick<Secret, 'data'> | undefined, key: string): string | undefined {
  const value = secret?.data?.[key];
  return value === undefined ? undefined : Buffer.from(value, 'base64').toString();
}
