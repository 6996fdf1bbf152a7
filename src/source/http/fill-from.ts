import type { HttpBody } from './body.ts';

/** Bytes after which a reader is told of them, at least; small enough for a slow server to be seen at work. */
const SLICE = 256 * 1024;

/**
 * Reads a body into memory that has room for all of it.
 *
 * @param took called with the number of bytes that have come, again and again
 * @returns whether all of the memory was filled, and the body had no more
 * @throws the errors of the body
 */
export async function fillFrom(body: HttpBody, memory: Buffer, took: (bytes: number) => void): Promise<boolean> {
  let filled = 0;
  if (body.readInto !== undefined) {
    while (filled < memory.length) {
      const length = await body.readInto(memory.subarray(filled, filled + SLICE));
      if (length === 0) break;
      filled += length;
      took(length);
    }
    return filled === memory.length;
  }
  for await (const bytes of body) {
    if (bytes.copy(memory, filled) < bytes.length) {
      body.destroy();
      return false;
    }
    filled += bytes.length;
    took(bytes.length);
  }
  return filled === memory.length;
}
