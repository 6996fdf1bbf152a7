import { TransferError } from '../errors.ts';
import type { HttpResponse } from './client.ts';

const LONGEST = 1024 * 1024;

/**
 * Reads an answer that is a small JSON document.
 *
 * @throws TransferError ProtocolViolation
 */
export async function readJson({ body, url }: HttpResponse): Promise<unknown> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > LONGEST) throw new TransferError('ProtocolViolation', `${url.host} answered with too long a document`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString());
  } catch (error) {
    throw new TransferError('ProtocolViolation', `${url.host} answered with something that is no JSON`, {
      cause: error,
    });
  }
}
