import type { IncomingMessage } from 'node:http';

/**
 * Reads the body of a request to its end.
 *
 * One that is too large is read too, and not kept: a client whose connection is closed while it sends does not get to
 * read the answer.
 *
 * @param limit bytes
 * @returns undefined where it is larger
 */
export async function readBody(request: IncomingMessage, limit: number): Promise<Buffer | undefined> {
  let pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    length += piece.length;
    if (length <= limit) pieces.push(piece);
    else pieces = [];
  }
  return length <= limit ? Buffer.concat(pieces, length) : undefined;
}
