import { ByteReader, type ByteStream } from '../../base/bytes.ts';
import { parseChecksum, verified } from '../../base/checksum.ts';

/**
 * Longest manifest, index or configuration in bytes. A thousand layers are described in 300 KiB, and reporting every
 * invalid entry of a hostile document takes 600 times its length in memory.
 */
export const LONGEST_DOCUMENT = 512 * 1024;

/**
 * Returns the text of a document after verifying its digest.
 *
 * @throws TransferError ChecksumMismatch
 */
export async function checkedDocument(document: Buffer, digest: string, location: string): Promise<string> {
  async function* whole(): ByteStream {
    yield document;
  }
  await new ByteReader(verified(whole(), parseChecksum(digest), `${location} (${digest})`)).drain();
  return document.toString();
}
