import type { ByteReader } from '../../base/bytes.ts';
import { TransferError } from '../../base/errors.ts';
import { formatBytes } from '../../base/format-bytes.ts';
import { HEAD_LENGTH } from '../formats/recognise.ts';
import { DiskFiles } from './chunks.ts';
import { isManifest, Manifest } from './manifest.ts';
import { isOvf, parseOvf } from './ovf.ts';

/**
 * Largest document in bytes: descriptors and manifests have some tens of KiB, and those of large appliances less than
 * 200.
 */
const LARGEST_DOCUMENT = 256 * 1024;
/** Most documents; a package has one descriptor and one manifest. */
const MOST_DOCUMENTS = 16;

/** What the OVF descriptors and manifests in an archive say about its members. */
export class PackageDocuments {
  readonly manifest: Manifest;
  readonly #location: string;
  readonly #disks: DiskFiles[] = [];
  #count = 0;

  /** @param location of the archive, for messages */
  constructor(location: string) {
    this.#location = location;
    this.manifest = new Manifest(location);
  }

  /** Whether a descriptor has been read. */
  get describesDisks(): boolean {
    return this.#disks.length > 0;
  }

  /** The name of the disk in messages. */
  get diskName(): string {
    return this.#disks[0]?.name ?? '';
  }

  /** Returns the disk that a member is, or is a part of, by a descriptor. */
  diskOf(path: string): DiskFiles | undefined {
    return this.#disks.find((disk) => disk.includes(path));
  }

  /**
   * Reads a member that is one of these documents.
   *
   * @returns whether it is one
   * @throws TransferError ChecksumMismatch, InvalidImage; UnsupportedImage where it is too large, there are too many,
   * or it does not have exactly one disk
   */
  async take(path: string, size: number, reader: ByteReader): Promise<boolean> {
    const head = await reader.peek(Math.min(HEAD_LENGTH, size));
    const isDescriptor = isOvf(head);
    if (size > LARGEST_DOCUMENT) {
      if (!isDescriptor || !/\.ovf$/i.test(path)) return false;
      throw new TransferError(
        'UnsupportedImage',
        `${this.#location} has an OVF descriptor, ${path}, of ${formatBytes(size)}, and no more than ` +
          `${formatBytes(LARGEST_DOCUMENT)} are read: import its disk from a file of its own`,
      );
    }
    if (isDescriptor) {
      const disk = parseOvf(await this.#read(path, reader), this.#location);
      this.#disks.push(new DiskFiles(disk, path, this.#location));
      return true;
    }
    if (isManifest(path, head)) {
      this.manifest.parse(await this.#read(path, reader), path);
      return true;
    }
    return false;
  }

  async #read(path: string, reader: ByteReader): Promise<string> {
    this.#count += 1;
    if (this.#count > MOST_DOCUMENTS) {
      throw new TransferError(
        'UnsupportedImage',
        `${this.#location} has more than ${MOST_DOCUMENTS} OVF descriptors and manifests, and a package has one of each: ` +
          'import its disk from a file of its own',
      );
    }
    const checked = this.manifest.begin(path);
    const chunks: Buffer[] = [];
    for await (const chunk of reader.rest()) {
      checked.update(chunk);
      chunks.push(Buffer.from(chunk));
    }
    checked.end();
    return Buffer.concat(chunks).toString('utf8');
  }
}
