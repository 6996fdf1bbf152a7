import { TransferError } from '../../base/errors.ts';
import { formatBytes } from '../../base/format-bytes.ts';
import type { HttpResponse } from './client.ts';
import { Stalled } from './direct/received-bytes.ts';
import { describeUrl } from './location.ts';

/** Milliseconds for a whole document, as long as for a head. */
const DOCUMENT_TIMEOUT_MILLISECONDS = 60_000;
/**
 * Longest JSON document in bytes. The content of token responses is sent in a header, and servers accept no longer
 * ones.
 */
const LONGEST_JSON = 64 * 1024;

export interface DocumentLimits {
  /** Most bytes of the document. */
  longest: number;
  /** Milliseconds for the whole document. */
  timeout?: number;
}

/**
 * Reads a small response.
 *
 * @throws TransferError ProtocolViolation where it is too long; Stalled, and the errors of the body
 */
export async function readDocument(
  { body, url }: Pick<HttpResponse, 'body' | 'url'>,
  { longest, timeout = DOCUMENT_TIMEOUT_MILLISECONDS }: DocumentLimits,
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
      // Copied, because chunks are lent.
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
 * Reads a response that is a small JSON document.
 *
 * @throws as {@link readDocument}, also ProtocolViolation where it is not JSON
 */
export async function readJson(response: Pick<HttpResponse, 'body' | 'url'>): Promise<unknown> {
  const document = await readDocument(response, { longest: LONGEST_JSON });
  try {
    return JSON.parse(document.toString());
  } catch (error) {
    throw new TransferError(
      'ProtocolViolation',
      `${describeUrl(response.url)} answered with something that is not JSON`,
      {
        cause: error,
      },
    );
  }
}
