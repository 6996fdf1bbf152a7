import { printableJson, printableLine } from './printable.ts';

/** Length of the longest level that is common. */
const LEVEL_WIDTH = 5;
/** What needs no quotes, so that a line can be taken apart again. */
const plain = /^[^\s"'=[\]{}]+$/;

/**
 * Writes an entry of a log as a line for people: time, level, message, and its fields as `key=value`, with quotes where
 * they are needed. A text of several lines, such as a stack, follows with each of them indented, so that nothing in it
 * can pass for another entry.
 */
export function lineOf({ timestamp, level, message, ...fields }: Readonly<Record<string, unknown>>): string {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  const texts = entries.filter(([, value]) => isLong(value));
  const words = entries.filter(([, value]) => !isLong(value)).map(([name, value]) => `${name}=${shown(value)}`);
  const head = [timestamp, String(level).toUpperCase().padEnd(LEVEL_WIDTH), printableLine(String(message)), ...words];
  const lines = texts.flatMap(([name, text]) => [`${name}:`, ...String(text).split('\n').map(printableLine)]);
  return [head.join(' '), ...lines.map((line) => `    ${line}`)].join('\n');
}

const isLong = (value: unknown): boolean => typeof value === 'string' && value.trimEnd().includes('\n');

function shown(value: unknown): string {
  if (typeof value === 'string') {
    const line = value.trimEnd();
    return plain.test(line) && printableLine(line) === line ? line : printableJson(line);
  }
  return printableJson(value) ?? '';
}
