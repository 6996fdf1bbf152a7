import { ByteReader, type ByteStream } from '../../base/bytes.ts';
import { parseChecksum, verified } from '../../base/checksum.ts';

/**
 * In bytes, of a manifest, an index or a configuration. A thousand layers are described in 300 KiB; to be told what is wrong with
 * each of the entries of a hostile one takes 600 times its length in memory.
 */
export const LONGEST_DOCUMENT = 512 * 1024;

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
