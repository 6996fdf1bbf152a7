import type { IncomingMessage } from 'node:http';
import { StatusError } from './status-error.ts';

/**
 * Reads the body of a request.
 *
 * @param limit bytes
 * @throws StatusError RequestEntityTooLarge, UnsupportedMediaType; BadRequest where it is no JSON
 */
export async function readJson(request: IncomingMessage, limit: number): Promise<unknown> {
  const [type = ''] = (request.headers['content-type'] ?? 'application/json').split(';');
  if (type.trim().toLowerCase() !== 'application/json') {
    throw new StatusError('UnsupportedMediaType', `the body is ${type}; send it as application/json`);
  }
  const tooLarge = () => {
    const message = `the body is larger than the ${limit} bytes that are allowed`;
    return new StatusError('RequestEntityTooLarge', message, { headers: { connection: 'close' } });
  };
  if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLarge();
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    length += piece.length;
    if (length > limit) throw tooLarge();
    pieces.push(piece);
  }
  try {
    return JSON.parse(Buffer.concat(pieces).toString());
  } catch (error) {
    throw new StatusError('BadRequest', 'the body is not valid JSON', { cause: error });
  }
}
