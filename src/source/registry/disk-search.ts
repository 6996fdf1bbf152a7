import { ByteReader, type ByteStream } from '../../base/bytes.ts';
import { TransferError } from '../../base/errors.ts';
import type { Progress } from '../../base/progress.ts';
import type { TarEntry } from '../../image/archive/tar-reader.ts';
import type { Likeness } from '../../image/unwrap/disk-likeness.ts';
import { MemberJudge } from '../../image/unwrap/member-judge.ts';
import { diskMissing } from './bootable-image.ts';
import { DiskFinder, layerPath } from './disk-finder.ts';
import type { ImageStore } from './image-store.ts';
import { Layer } from './layer.ts';
import type { Descriptor } from './manifest.ts';

const SECTOR = 512;
/**
 * Size in bytes from which a file that may be a disk counts as the disk. Looking for a better one would mean to read
 * all layers twice.
 */
const SMALLEST_CERTAIN = 16 * 1024 * 1024;

export interface FoundDisk {
  /** Path in the image. */
  path: string;
  /** Digest of the layer that contains it. */
  digest: string;
  /** The content. It ends only after the whole layer was verified. */
  bytes: ByteStream;
  /** Size in bytes. */
  size: number;
  /** Bytes that will have been read from the store, once the whole layer has been. */
  transferSize: number;
}

/** A file below /disk/ that is used where there is nothing better. */
interface Candidate {
  layer: Descriptor;
  path: string;
  isPossible: boolean;
}

/** Searches the layers of a container image for the disk: the first file below /disk/ that is one. */
export class DiskSearch {
  readonly #store: ImageStore;
  readonly #location: string;
  readonly #progress: Progress;
  readonly #finder = new DiskFinder();
  readonly #judge: MemberJudge;
  #candidate: Candidate | undefined;

  /** @param location of the image, for messages */
  constructor(store: ImageStore, location: string, progress: Progress) {
    this.#store = store;
    this.#location = location;
    this.#progress = progress;
    this.#judge = new MemberJudge(location);
  }

  /**
   * @param layers from the uppermost down
   * @throws TransferError DiskNotFound, UnsupportedImage where the layers hold too much else
   */
  async find(layers: readonly Descriptor[]): Promise<FoundDisk> {
    for (const [index, layer] of layers.entries()) {
      const found = (await this.#disk(layer)) ?? (await this.#linkedDisk(layers.slice(index)));
      if (found !== undefined) return found;
      this.#finder.descend();
    }
    const { layer, path } = this.#candidate ?? {};
    const only = layer && (await this.#first(layer, async (entry) => layerPath(entry.path) === path));
    if (only !== undefined) return only;
    throw new TransferError(
      'DiskNotFound',
      `${diskMissing(this.#location, this.#finder.isBootable)}${this.#linkAdvice()}`,
    );
  }

  /** Returns the disk in a layer. A file that is merely not text is no better than those after it. */
  async #disk(layer: Descriptor): Promise<FoundDisk | undefined> {
    return this.#first(layer, async (entry, reader) => {
      if (!this.#finder.accept(entry)) return false;
      const likeness = await this.#likeness(entry.size, reader);
      const isPossible = likeness === 'possible';
      if (likeness === 'disk') return true;
      if (isPossible && entry.size > SMALLEST_CERTAIN) return 'possible';
      if (this.#candidate === undefined || (isPossible && !this.#candidate.isPossible)) {
        this.#candidate = { layer, path: layerPath(entry.path), isPossible };
      }
      this.#finder.pass(entry);
      return false;
    });
  }

  /** @throws TransferError UnsupportedImage where an entry after a file that only may be the disk certainly is one */
  async #refuseCertain(path: string, other: TarEntry): Promise<void> {
    if (!this.#finder.accept(other)) return;
    if ((await this.#likeness(other.size, new ByteReader(other.body))) === 'disk') {
      throw new TransferError(
        'UnsupportedImage',
        `${this.#location} has more than one disk image below /disk/ (${path}, ${layerPath(other.path)}), and a volume is one: ` +
          'build an image of each',
      );
    }
    this.#finder.pass(other);
  }

  /** Finds the target of a hard link, which precedes the link in its layer, at any distance, or is in a layer below. */
  async #linkedDisk(layers: readonly Descriptor[]): Promise<FoundDisk | undefined> {
    const target = this.#finder.hardLink && layerPath(this.#finder.hardLink.target);
    if (target === undefined) return undefined;
    for (const layer of layers) {
      const found = await this.#first(layer, async ({ path, type, size }, reader) => {
        if (type !== 'file' || layerPath(path) !== target) return false;
        return (await this.#likeness(size, reader)) !== undefined;
      });
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Judges a file. Disks with an incomplete last sector are accepted, too, in the right folder. */
  #likeness(size: number, reader: ByteReader): Promise<Likeness | undefined> {
    return this.#judge.judge(reader, Math.ceil(size / SECTOR) * SECTOR);
  }

  async #first(
    { digest, size: layerSize }: Descriptor,
    isWanted: (entry: TarEntry, reader: ByteReader) => Promise<boolean | 'possible'>,
  ): Promise<FoundDisk | undefined> {
    const transferSize = this.#progress.counters.bytesRead + layerSize;
    const layer = await Layer.open(await this.#store.blob(digest), digest, this.#location);
    // Not a for-await loop, which would close the iterator: entries after the wanted one may be checked as well.
    for (let next = await layer.entries.next(); next.done !== true; next = await layer.entries.next()) {
      const entry = next.value;
      const reader = new ByteReader(entry.body);
      const wanted = await isWanted(entry, reader);
      if (wanted === false) continue;
      const { size } = entry;
      const path = layerPath(entry.path);
      this.#progress.note('found', { path, layer: digest, bytes: size });
      const onOther = wanted === 'possible' ? (other: TarEntry) => this.#refuseCertain(path, other) : undefined;
      return { path, digest, bytes: layer.contentsOf(entry, reader.rest(), onOther), size, transferSize };
    }
    await layer.finish();
    return undefined;
  }

  #linkAdvice(): string {
    const link = this.#finder.symbolicLink;
    if (link === undefined) return '';
    return `: /${link.path} is a symbolic link to ${link.target}, which is not followed: have the file itself there`;
  }
}
