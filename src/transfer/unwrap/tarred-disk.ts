import type { ArchiveBudget } from '../archive/archive-budget.ts';
import { readTar, type TarEntry } from '../archive/tar-reader.ts';
import { ByteReader, type ByteStream } from '../bytes.ts';
import { recogniseCompression } from '../decompress/compression.ts';
import { TransferError } from '../errors.ts';
import { formatBytes } from '../format-bytes.ts';
import { HEAD_LENGTH, isProbablyDisk } from '../formats/recognise.ts';
import { Manifest, isManifest } from './manifest.ts';
import { isOvf, parseOvf, type OvfPackage } from './ovf.ts';

/** In bytes: descriptors and manifests have some tens of KiB, and those of large appliances not 200. */
const LARGEST_DOCUMENT = 256 * 1024;
/** A package has one descriptor and one manifest. */
const MOST_DOCUMENTS = 16;

interface FoundDisk {
  entry: TarEntry;
  /** From its first byte on. */
  reader: ByteReader;
}

/** The one disk image in a tar archive, which may be an OVA: an OVF descriptor, its disk, and a manifest. */
export class TarredDisk {
  readonly #reader: ByteReader;
  readonly #location: string;
  readonly #budget: ArchiveBudget;
  readonly #entries: AsyncGenerator<TarEntry, void, void>;
  readonly #manifest: Manifest;
  #package: OvfPackage | undefined;
  #documents = 0;
  #disk: FoundDisk | undefined;

  private constructor(reader: ByteReader, location: string, budget: ArchiveBudget) {
    this.#reader = reader;
    this.#location = location;
    this.#budget = budget;
    this.#entries = readTar(reader, budget);
    this.#manifest = new Manifest(location);
  }

  /**
   * Goes forward to the first member that is a disk image, by its content or by what the OVF descriptor says.
   *
   * @param budget how much is looked through
   * @throws TransferError NotAnImage where there is none, UnsupportedImage where it is not found soon enough
   */
  static async find(reader: ByteReader, location: string, budget: ArchiveBudget): Promise<TarredDisk> {
    const archive = new TarredDisk(reader, location, budget);
    archive.#disk = await archive.#nextDisk();
    if (archive.#disk === undefined) {
      throw new TransferError('NotAnImage', `${location} is a tar archive without a disk image in it`);
    }
    return archive;
  }

  get kind(): 'ova' | 'tar' {
    return this.#package === undefined ? 'tar' : 'ova';
  }

  /** In bytes, the holes of a sparse file included. */
  get size(): number {
    return this.#found.entry.size;
  }

  /** Where it begins in the stream that the archive was read from; undefined where it is sparse. */
  get offset(): number | undefined {
    return this.#found.entry.offset;
  }

  /**
   * The disk image. Ends only after the rest of the archive was read, and agrees.
   *
   * @throws TransferError ChecksumMismatch, UnsupportedImage where there is a second disk, TruncatedImage; in place of the end
   */
  async *contents(): ByteStream {
    const { path } = this.#found.entry;
    try {
      const mayBeListed = this.#package !== undefined || this.#manifest.isKnown;
      const checked = mayBeListed ? this.#manifest.begin(path) : undefined;
      for await (const chunk of this.#found.reader.rest()) {
        checked?.update(chunk);
        yield chunk;
      }
      checked?.end();
      const second = await this.#nextDisk();
      if (second !== undefined) {
        throw new TransferError(
          'UnsupportedImage',
          `${this.#location} holds more than one disk image (${path}, ${second.entry.path}), and a volume is one: ` +
            'import each from a file of its own',
        );
      }
      await this.#budget.drain(this.#reader);
    } finally {
      await this.#reader.close();
    }
  }

  get #found(): FoundDisk {
    if (this.#disk === undefined) throw new Error('no disk has been found yet');
    return this.#disk;
  }

  async #nextDisk(): Promise<FoundDisk | undefined> {
    for (;;) {
      const { value: entry } = await this.#entries.next();
      if (entry === undefined) return undefined;
      if (entry.type !== 'file') continue;
      const start = this.#reader.position;
      const reader = new ByteReader(entry.body);
      if (await this.#isDisk(entry, reader)) return { entry, reader };
      // What was looked at is no more wanted than the rest.
      this.#budget.countSkipped(this.#reader.position - start);
    }
  }

  /** Takes note of the documents that tell of disks. */
  async #isDisk({ path, size }: TarEntry, reader: ByteReader): Promise<boolean> {
    const head = await reader.peek(Math.min(HEAD_LENGTH, size));
    const isDescriptor = isOvf(head);
    if (size > LARGEST_DOCUMENT && isDescriptor && /\.ovf$/i.test(path)) {
      throw new TransferError(
        'UnsupportedImage',
        `${this.#location} has an OVF descriptor, ${path}, of ${formatBytes(size)}, and no more than ` +
          `${formatBytes(LARGEST_DOCUMENT)} are read: import its disk from a file of its own`,
      );
    }
    if (size <= LARGEST_DOCUMENT && isDescriptor) {
      const document = await this.#readDocument(path, reader);
      this.#package = parseOvf(document, this.#location);
      return false;
    }
    if (size <= LARGEST_DOCUMENT && isManifest(head)) {
      this.#manifest.parse(await this.#readDocument(path, reader));
      return false;
    }
    if (this.#package !== undefined) return path.replace(/^\.\//, '') === this.#package.diskFile;
    return recogniseCompression(head) !== undefined || isProbablyDisk(head, size);
  }

  async #readDocument(path: string, reader: ByteReader): Promise<string> {
    this.#documents += 1;
    if (this.#documents > MOST_DOCUMENTS) {
      throw new TransferError(
        'UnsupportedImage',
        `${this.#location} has more than ${MOST_DOCUMENTS} OVF descriptors and manifests, and a package has one of each: ` +
          'import its disk from a file of its own',
      );
    }
    const checked = this.#manifest.begin(path);
    const chunks: Buffer[] = [];
    for await (const chunk of reader.rest()) {
      checked.update(chunk);
      chunks.push(Buffer.from(chunk));
    }
    checked.end();
    return Buffer.concat(chunks).toString('utf8');
  }
}
