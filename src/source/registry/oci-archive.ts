import { ByteReader, type ByteStream } from '../../base/bytes.ts';
import { TransferError } from '../../base/errors.ts';
import type { Source } from '../../base/source.ts';
import { ArchiveBudget } from '../../image/archive/archive-budget.ts';
import { readTar } from '../../image/archive/tar-reader.ts';
import { checkedDocument, LONGEST_DOCUMENT } from './checked-document.ts';
import type { ImageStore } from './image-store.ts';

/** Path of the top-level index in an archive. */
export const ARCHIVE_INDEX = 'index.json';
const BLOCK = 512;
/**
 * Each layer and each document is a member. The space between them is not limited, because it is skipped without being
 * read.
 */
const limits = { members: 10_000, skippedBytes: Infinity };

interface Extent {
  offset: number;
  size: number;
}

/** An image layout in a tar archive (OCI image specification, image-layout.md), read in place. */
export class OciArchive implements ImageStore {
  readonly #source: Source;
  #files: Map<string, Extent> | undefined;
  #openAt: ((offset: number) => ByteStream) | undefined;
  #open: ByteStream | undefined;

  /** @param source the archive, not compressed */
  constructor(source: Source) {
    this.#source = source;
  }

  async manifest(reference: string): Promise<string> {
    return reference === ARCHIVE_INDEX ? (await this.#document(reference)).toString() : this.configuration(reference);
  }

  async configuration(digest: string): Promise<string> {
    return checkedDocument(await this.#document(blobPath(digest)), digest, this.#source.location);
  }

  async blob(digest: string): Promise<ByteStream> {
    const { offset, size } = await this.#find(blobPath(digest));
    return this.#read(offset, size);
  }

  async close(): Promise<void> {
    await this.#open?.return();
    await this.#source.close();
  }

  async #document(path: string): Promise<Buffer> {
    const { offset, size } = await this.#find(path);
    if (size > LONGEST_DOCUMENT) throw this.#invalid(`its ${path} is too long`);
    const reader = new ByteReader(await this.#read(offset, size));
    const bytes = Buffer.from(await reader.take(size));
    await reader.close();
    return bytes;
  }

  async #find(path: string): Promise<Extent> {
    this.#files ??= await this.#list();
    const found = this.#files.get(path);
    if (found === undefined) throw this.#invalid(`it has no ${path}`);
    return found;
  }

  /** Reads the headers of all members, and skips what is between them where the source supports that. */
  async #list(): Promise<Map<string, Extent>> {
    const { bytes, size, openAt } = await this.#source.open(BLOCK);
    if (openAt === undefined || size === undefined) {
      await bytes.return();
      throw new TransferError(
        'RequestRejected',
        `${this.#source.location} can only be read from its start, and an oci-archive has to be read in parts: ` +
          'put it on a server that serves ranges, with an ETag or Last-Modified',
      );
    }
    this.#openAt = openAt;
    const files = new Map<string, Extent>();
    const reader = new ByteReader(bytes, { size, openAt });
    try {
      for await (const entry of readTar(reader, { budget: new ArchiveBudget({ limits }) })) {
        const path = entry.path.replace(/^(\.?\/)+/, '');
        const { type, offset, size } = entry;
        if (type === 'file' && offset !== undefined) files.set(path, { offset, size });
      }
    } finally {
      await reader.close();
    }
    return files;
  }

  async #read(offset: number, size: number): Promise<ByteStream> {
    await this.#open?.return();
    if (this.#openAt === undefined) throw new Error('the archive has not been listed');
    this.#open = limited(this.#openAt(offset), size);
    return this.#open;
  }

  #invalid(why: string): TransferError {
    return new TransferError('InvalidImage', `${this.#source.location} is not an OCI image archive: ${why}`);
  }
}

function blobPath(digest: string): string {
  return `blobs/${digest.replace(':', '/')}`;
}

async function* limited(bytes: ByteStream, size: number): ByteStream {
  let left = size;
  for await (const chunk of bytes) {
    yield chunk.subarray(0, left);
    left -= Math.min(left, chunk.length);
    if (left === 0) return;
  }
}
