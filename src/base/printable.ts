/** Of a text of an image in a message, in bytes. */
const LONGEST = 100;
/** Controls, what turns the direction of text or cannot be seen, and what is no character. */
const unprintable = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu;

/** Text from an image for a message: it ends at the first NUL, and can neither be long nor do anything to a terminal. */
export function printable(bytes: Buffer): string {
  const text = bytes.subarray(0, LONGEST).toString('utf8').replace(/\0.*$/s, '').replaceAll(unprintable, '?');
  return JSON.stringify(text);
}

/**
 * Text from outside for a message or a log: one line, not long, that does nothing to a terminal.
 *
 * @param longest in characters
 */
export function printableText(text: string, longest: number): string {
  // Before the work: there may be megabytes of it.
  const start = text.slice(0, longest + 1);
  const printable = start.replaceAll(/\s+/g, ' ').replaceAll(unprintable, '?');
  return start.length > longest ? `${printable.slice(0, longest - 1).toWellFormed()}…` : printable;
}

/** Text, wherever it comes from, as one line that does nothing to a terminal but to be read there. */
export function printableLine(text: string): string {
  return text.replaceAll(/[\t\n\v\f\r]+/g, ' ').replaceAll(unprintable, '?');
}

/** A value as JSON that does nothing to a terminal, and says the same to a program. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(unprintable, (character) =>
    Array.from({ length: character.length }, (_, index) => escaped(character.charCodeAt(index))).join(''),
  );
}

function escaped(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`;
}
