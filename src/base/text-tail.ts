import type { Readable } from 'node:stream';

/** Bytes that are enough for the reason of a failure, and fit into a termination message. */
const LONGEST_TAIL = 1024;

/** Reads the output of a program, so that it never blocks, and keeps its end. */
export function collectTail(stream: Readable): { text(): string } {
  let tail = '';
  stream.setEncoding('utf8').on('data', (text: string) => {
    tail = (tail + text).slice(-LONGEST_TAIL);
  });
  return { text: () => tail.trim() };
}
