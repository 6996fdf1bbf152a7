import type { IncomingMessage } from 'node:http';
import { readBody } from '../../server/read-body.ts';
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
  const body = await readBody(request, limit);
  if (!body) {
    throw new StatusError('RequestEntityTooLarge', `the body is larger than the ${limit} bytes that are allowed`);
  }
  try {
    return JSON.parse(body.toString());
  } catch (error) {
    throw new StatusError('BadRequest', 'the body is not valid JSON', { cause: error });
  }
}
