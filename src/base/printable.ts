/** Longest quote of an image's text in a message, in bytes. */
const LONGEST = 100;
/**
 * Control characters, characters that are invisible or change the direction of text, and code points that are no
 * characters.
 */
const unprintable = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu;

/** Makes text from an image printable: it ends at the first NUL, has a limited length, and cannot affect a terminal. */
export function printable(bytes: Buffer): string {
  const text = bytes.subarray(0, LONGEST).toString('utf8').replace(/\0.*$/s, '').replaceAll(unprintable, '?');
  return JSON.stringify(text);
}

/**
 * Makes untrusted text printable for a message or a log: one line of limited length that cannot affect a terminal.
 *
 * @param longest in characters
 */
export function printableText(text: string, longest: number): string {
  // Cut first: the text may have megabytes.
  const start = text.slice(0, longest + 1);
  const printable = start.replaceAll(/\s+/g, ' ').replaceAll(unprintable, '?');
  return start.length > longest ? `${printable.slice(0, longest - 1).toWellFormed()}…` : printable;
}

/** Makes any text printable as one line that cannot affect a terminal. */
export function printableLine(text: string): string {
  return text.replaceAll(/[\t\n\v\f\r]+/g, ' ').replaceAll(unprintable, '?');
}

/** Formats a value as JSON that cannot affect a terminal, and that parses to the same value. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(unprintable, (character) =>
    Array.from({ length: character.length }, (_, index) => escaped(character.charCodeAt(index))).join(''),
  );
}

function escaped(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`;
}
