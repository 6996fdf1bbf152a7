import type { IncomingMessage } from 'node:http';
import { readBody } from '../../server/read-body.ts';

/** Bytes of a form with a token. */
const LARGEST_FORM = 32 * 1024;

/** Reads a form that a browser has sent; undefined where it is none, or too large. */
export async function readForm(request: IncomingMessage): Promise<URLSearchParams | undefined> {
  const type = request.headers['content-type'] ?? '';
  if (!/^application\/x-www-form-urlencoded\b/i.test(type)) return undefined;
  const body = await readBody(request, LARGEST_FORM);
  return body && new URLSearchParams(body.toString());
}
