import type { Readable } from 'node:stream';

/** Enough for the reason of a failure, and for a termination message. */
const LONGEST_TAIL = 1024;

/** Reads a program's messages, so that it never waits for its reader, and keeps the last of them. */
export function collectTail(stream: Readable): { text(): string } {
  let tail = '';
  stream.setEncoding('utf8').on('data', (text: string) => {
    tail = (tail + text).slice(-LONGEST_TAIL);
  });
  return { text: () => tail.trim() };
}
