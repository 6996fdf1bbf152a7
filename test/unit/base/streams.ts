import type { ByteStream } from '../../../src/base/bytes.ts';

/**
 * A stream whose chunks are lent as strictly as the contract allows: each is overwritten when the next is asked for.
 */
export async function* lend(content: Buffer, chunkLengths: Iterable<number>): ByteStream {
  let offset = 0;
  for (const length of chunkLengths) {
    if (offset >= content.length) return;
    const chunk = Buffer.from(content.subarray(offset, offset + length));
    offset += chunk.length;
    yield chunk;
    chunk.fill(0xdd);
  }
  if (offset < content.length) yield Buffer.from(content.subarray(offset));
}

/** All of a stream. */
export async function collect(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}
