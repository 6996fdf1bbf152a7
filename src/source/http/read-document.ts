import { TransferError } from '../../base/errors.ts';
import { formatBytes } from '../../base/format-bytes.ts';
import type { HttpResponse } from './client.ts';
import { Stalled } from './direct/received-bytes.ts';
import { describeUrl } from './location.ts';

/** All of a document has to be there by then, in milliseconds: as long as its head may take. */
const DOCUMENT_TIMEOUT = 60_000;
/** In bytes. What answers of token servers hold is sent in a header, and servers take no more of those. */
const LONGEST_JSON = 64 * 1024;

export interface DocumentLimits {
  /** In bytes. */
  longest: number;
  /** For all of it, in milliseconds. */
  timeout?: number;
}

/**
 * Reads an answer that is not large.
 *
 * @throws TransferError ProtocolViolation where it is; Stalled, and what the body fails with
 */
export async function readDocument(
  { body, url }: Pick<HttpResponse, 'body' | 'url'>,
  { longest, timeout = DOCUMENT_TIMEOUT }: DocumentLimits,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  let isOverdue = false;
  const overdue = setTimeout(() => {
    isOverdue = true;
    body.destroy();
  }, timeout);
  try {
    for await (const chunk of body) {
      length += chunk.length;
      if (length > longest) {
        throw new TransferError(
          'ProtocolViolation',
          `${describeUrl(url)} answered with more than ${formatBytes(longest)}, which is too much for such a document`,
        );
      }
      // They are lent.
      chunks.push(Buffer.from(chunk));
    }
  } catch (error) {
    if (!isOverdue) throw error;
  } finally {
    clearTimeout(overdue);
  }
  if (isOverdue) throw new Stalled(`the document had not come after ${timeout} ms`);
  return Buffer.concat(chunks);
}

/**
 * Reads an answer that is a small JSON document.
 *
 * @throws as {@link readDocument}, also ProtocolViolation where it is none
 */
export async function readJson(response: Pick<HttpResponse, 'body' | 'url'>): Promise<unknown> {
  const document = await readDocument(response, { longest: LONGEST_JSON });
  try {
    return JSON.parse(document.toString());
  } catch (error) {
    throw new TransferError(
      'ProtocolViolation',
      `${describeUrl(response.url)} answered with something that is no JSON`,
      {
        cause: error,
      },
    );
  }
}
