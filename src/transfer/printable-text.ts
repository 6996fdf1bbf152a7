/**
 * Text from outside for a message or a log: on one line, not long, and without anything that does something to a terminal.
 *
 * @param longest in characters
 */
export function printableText(text: string, longest: number): string {
  // Before the work: there may be megabytes of it.
  const start = text.slice(0, longest + 1);
  const printable = start.replaceAll(/\s+/g, ' ').replaceAll(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, '?');
  return start.length > longest ? `${printable.slice(0, longest - 1).toWellFormed()}…` : printable;
}
