import { ByteReader, type ByteStream } from '../bytes.ts';
import { parseChecksum, verified } from '../checksum.ts';

/**
 * The text of a document whose digest is known.
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
