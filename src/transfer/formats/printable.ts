const LONGEST = 100;

/** Text from an image for a message: it ends at the first NUL, and can neither be long nor do anything to a terminal. */
export function printable(bytes: Buffer): string {
  const text = bytes
    .subarray(0, LONGEST)
    .toString('utf8')
    .replace(/\0.*$/s, '')
    .replaceAll(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, '?');
  return JSON.stringify(text);
}
