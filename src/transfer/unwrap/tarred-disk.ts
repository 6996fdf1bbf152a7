import { readTar, type TarEntry } from '../archive/tar-reader.ts';
import type { ByteReader, ByteStream } from '../bytes.ts';
import { recogniseCompression } from '../decompress/compression.ts';
import { TransferError } from '../errors.ts';
import { HEAD_LENGTH, isProbablyDisk } from '../formats/recognise.ts';
import { Manifest, isManifest } from './manifest.ts';
import { isOvf, parseOvf, type OvfPackage } from './ovf.ts';

const LARGEST_DOCUMENT = 4 * 1024 * 1024;

/** The one disk image in a tar archive, which may be an OVA: an OVF descriptor, its disk, and a manifest. */
export class TarredDisk {
  readonly #reader: ByteReader;
  readonly #location: string;
  readonly #entries: AsyncGenerator<TarEntry, void, void>;
  readonly #manifest: Manifest;
  #package: OvfPackage | undefined;
  #disk: TarEntry | undefined;

  private constructor(reader: ByteReader, location: string) {
    this.#reader = reader;
    this.#location = location;
    this.#entries = readTar(reader);
    this.#manifest = new Manifest(location);
  }

  /**
   * Goes forward to the first member that is a disk image, by its content or by what the OVF descriptor says.
   *
   * @throws TransferError NotAnImage where there is none
   */
  static async find(reader: ByteReader, location: string): Promise<TarredDisk> {
    const archive = new TarredDisk(reader, location);
    archive.#disk = await archive.#nextDisk();
    if (archive.#disk === undefined) {
      throw new TransferError('NotAnImage', `${location} is a tar archive without a disk image in it`);
    }
    return archive;
  }

  get kind(): 'ova' | 'tar' {
    return this.#package === undefined ? 'tar' : 'ova';
  }

  get path(): string {
    return this.#found.path;
  }

  get size(): number {
    return this.#found.size;
  }

  /**
   * The disk image. Ends only after the rest of the archive was read, and agrees.
   *
   * @throws TransferError ChecksumMismatch, UnsupportedImage where there is a second disk, TruncatedImage; in place of the end
   */
  async *contents(): ByteStream {
    const { path, body } = this.#found;
    try {
      const mayBeListed = this.#package !== undefined || this.#manifest.isKnown;
      const checked = mayBeListed ? this.#manifest.begin(path) : undefined;
      for await (const chunk of body) {
        checked?.update(chunk);
        yield chunk;
      }
      checked?.end();
      const second = await this.#nextDisk();
      if (second !== undefined) {
        throw new TransferError(
          'UnsupportedImage',
          `${this.#location} holds more than one disk image (${path}, ${second.path}), and a volume is one: ` +
            'import each from a file of its own',
        );
      }
      await this.#reader.drain();
    } finally {
      await this.#reader.close();
    }
  }

  get #found(): TarEntry {
    if (this.#disk === undefined) throw new Error('no disk has been found yet');
    return this.#disk;
  }

  async #nextDisk(): Promise<TarEntry | undefined> {
    for (;;) {
      const { value: entry } = await this.#entries.next();
      if (entry === undefined) return undefined;
      if (entry.type === 'file' && (await this.#isDisk(entry))) return entry;
    }
  }

  /** Takes note of the documents that tell of disks. */
  async #isDisk(entry: TarEntry): Promise<boolean> {
    const { path, size } = entry;
    const head = await this.#reader.peek(Math.min(HEAD_LENGTH, size));
    if (size <= LARGEST_DOCUMENT && isOvf(head)) {
      const document = await this.#readDocument(entry);
      this.#package = parseOvf(document, this.#location);
      return false;
    }
    if (size <= LARGEST_DOCUMENT && isManifest(head)) {
      this.#manifest.parse(await this.#readDocument(entry));
      return false;
    }
    if (this.#package !== undefined) return path.replace(/^\.\//, '') === this.#package.diskFile;
    return recogniseCompression(head) !== undefined || isProbablyDisk(head, size);
  }

  async #readDocument({ path, body }: TarEntry): Promise<string> {
    const checked = this.#manifest.begin(path);
    const chunks: Buffer[] = [];
    for await (const chunk of body) {
      checked.update(chunk);
      chunks.push(Buffer.from(chunk));
    }
    checked.end();
    return Buffer.concat(chunks).toString('utf8');
  }
}
