import { TransferError } from '../../base/errors.ts';
import { formatBytes } from '../../base/format-bytes.ts';

/**
 * Reads the whole body of a response.
 *
 * @param most bytes that it may have
 * @param host for messages
 * @throws TransferError ProtocolViolation where it is longer, without reading more
 */
export async function limitedBody(body: AsyncIterable<Buffer>, most: number, host: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > most) {
      throw new TransferError(
        'ProtocolViolation',
        `${host} answered with more than ${formatBytes(most)}, which is not a clone's`,
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
