import { ByteReader, type ByteStream } from '../../base/bytes.ts';
import { TransferError } from '../../base/errors.ts';
import type { ArchiveBudget } from '../archive/archive-budget.ts';
import { readTar, type TarEntry } from '../archive/tar-reader.ts';
import type { DiskFiles } from './chunks.ts';
import type { Likeness } from './disk-likeness.ts';
import { DoubtfulMember } from './doubtful-member.ts';
import { MemberJudge } from './member-judge.ts';
import { PackageDocuments } from './package-documents.ts';
import { RootTree } from './root-tree.ts';

/**
 * Largest member in bytes that is kept in memory: firmware variables and the state of a machine have a few MiB, and no
 * disk of an operating system is that small.
 */
const LARGEST_KEPT = 16 * 1024 * 1024;

interface FoundDisk {
  entry: TarEntry;
  likeness: Likeness;
  /** Reader of the member from its first byte. */
  reader: ByteReader;
  /** The files of the disk by a descriptor. */
  files: DiskFiles | undefined;
}

export interface TarredDiskOptions {
  /** Location of the archive, for messages. */
  location: string;
  /** Nesting depth of the archive; the outermost is 0. */
  depth: number;
  /** Limits what is searched. */
  budget: ArchiveBudget;
  /** Whether members that only may be disks are skipped. */
  certainOnly: boolean;
}

/** The only disk image in a tar archive, which may be an OVA: an OVF descriptor, its disk, and a manifest. */
export class TarredDisk {
  readonly #reader: ByteReader;
  readonly #location: string;
  readonly #depth: number;
  readonly #budget: ArchiveBudget;
  readonly #certainOnly: boolean;
  readonly #entries: AsyncGenerator<TarEntry, void, void>;
  readonly #documents: PackageDocuments;
  readonly #judge: MemberJudge;
  readonly #rootTree = new RootTree();
  #disk: FoundDisk | undefined;
  #isLookedThrough = false;

  private constructor(reader: ByteReader, { location, depth, budget, certainOnly }: TarredDiskOptions) {
    this.#reader = reader;
    this.#location = location;
    this.#depth = depth;
    this.#budget = budget;
    this.#certainOnly = certainOnly;
    this.#entries = readTar(reader, { budget });
    this.#documents = new PackageDocuments(location);
    this.#judge = new MemberJudge(location);
  }

  /**
   * Reads up to the first member that is a disk image, by its content or by the OVF descriptor.
   *
   * @throws TransferError NotAnImage where there is none, UnsupportedImage where it is not found soon enough
   */
  static async find(reader: ByteReader, options: TarredDiskOptions): Promise<TarredDisk> {
    const archive = new TarredDisk(reader, options);
    archive.#disk = await archive.#find();
    return archive;
  }

  get kind(): 'ova' | 'tar' {
    return this.#documents.describesDisks ? 'ova' : 'tar';
  }

  /** Path of the member or, where the disk is split, of its first chunk. */
  get path(): string {
    return this.#found.entry.path;
  }

  /** Size in bytes, including the holes of a sparse file; undefined where the disk is split. */
  get size(): number | undefined {
    return this.#isChunked ? undefined : this.#found.entry.size;
  }

  /** Offset in the stream that the archive was read from; undefined where the disk is sparse or split. */
  get offset(): number | undefined {
    return this.#isChunked ? undefined : this.#found.entry.offset;
  }

  /** Whether the member only may be a disk, and later members have not been examined yet. */
  get isDoubtful(): boolean {
    return this.#found.likeness === 'possible' && !this.#isLookedThrough;
  }

  /**
   * Yields the disk image. Ends only after the rest of the archive was read, and agrees.
   *
   * @throws TransferError ChecksumMismatch, UnsupportedImage where there is a second disk, TruncatedImage, NotAnImage;
   * in place of the end
   * @throws DoubtfulMember where it only may be a disk, and a certain one follows; in place of the end
   */
  async *contents(): ByteStream {
    try {
      const { files, entry, likeness } = this.#found;
      let others: TransferError | undefined;
      yield* this.#checked(this.#found);
      for (let next = await this.#next(); next !== undefined; next = await this.#next()) {
        if (files !== undefined && files === next.files && files.isChunked) {
          files.add(next.entry.path, next.entry.size);
          yield* this.#checked(next);
        } else if (next.likeness === 'disk') {
          const several = this.#several(entry.path, next.entry.path);
          throw likeness === 'disk' ? several : new DoubtfulMember(this.#depth, several);
        } else if (likeness === 'possible') {
          others ??= this.#several(entry.path, next.entry.path);
        }
      }
      this.#isLookedThrough = true;
      if (others !== undefined) throw others;
      files?.finish();
      this.#checkPackage();
      await this.#budget.drain(this.#reader);
    } finally {
      await this.#reader.close();
    }
  }

  get #found(): FoundDisk {
    if (this.#disk === undefined) throw new Error('no disk has been found yet');
    return this.#disk;
  }

  get #isChunked(): boolean {
    return this.#found.files?.isChunked === true;
  }

  /** Finds the disk. Skips possible disks while a certain one may follow, as long as they are small or several. */
  async #find(): Promise<FoundDisk> {
    let kept: FoundDisk | undefined;
    let several: TransferError | undefined;
    for (let next = await this.#next(); next !== undefined; next = await this.#next()) {
      if (next.likeness === 'disk') {
        if (next.files?.isChunked === true) next.files.add(next.entry.path, next.entry.size);
        return next;
      }
      if (several !== undefined) continue;
      if (kept !== undefined) {
        several = this.#several(kept.entry.path, next.entry.path);
        kept = undefined;
      } else if (next.entry.size > LARGEST_KEPT) {
        return next;
      } else {
        kept = { ...next, reader: await copyOf(next) };
      }
    }
    if (several !== undefined) throw several;
    if (kept === undefined) throw this.#withoutDisk();
    this.#disk = kept;
    this.#isLookedThrough = true;
    this.#checkPackage();
    return kept;
  }

  async #next(): Promise<FoundDisk | undefined> {
    for (;;) {
      const { value: entry } = await this.#entries.next();
      if (entry === undefined) return undefined;
      this.#rootTree.note(entry.path);
      if (entry.type !== 'file') continue;
      const start = this.#reader.position;
      const reader = new ByteReader(entry.body);
      if (!(await this.#documents.take(entry.path, entry.size, reader))) {
        const files = this.#documents.diskOf(entry.path);
        const likeness = this.#documents.describesDisks ? files && 'disk' : await this.#judge.judge(reader, entry.size);
        const isWanted = likeness === 'disk' || (likeness === 'possible' && !this.#certainOnly);
        if (isWanted) return { entry, reader, likeness, files };
      }
      // Bytes that were examined count as skipped, like the rest.
      this.#budget.countSkipped(this.#reader.position - start);
    }
  }

  /**
   * Verifies the disk where documents describe it. A VMDK may be the disk of a package whose documents follow it; to
   * hash every disk just for that would cost too much.
   */
  async *#checked({ entry, reader }: FoundDisk): ByteStream {
    const { describesDisks, manifest } = this.#documents;
    const mayBeListed = describesDisks || manifest.isKnown || (await isVmdk(entry, reader));
    const checked = mayBeListed ? manifest.begin(entry.path) : undefined;
    for await (const chunk of reader.rest()) {
      checked?.update(chunk);
      yield chunk;
    }
    checked?.end();
  }

  /** @throws TransferError NotAnImage where the rest of the archive contradicts what was found */
  #checkPackage(): void {
    const { entry, likeness, files } = this.#found;
    const { describesDisks } = this.#documents;
    if (describesDisks && files === undefined) {
      const named = this.#documents.diskOf(entry.path);
      if (named === undefined) throw this.#withoutDisk();
      if (named.isChunked) throw named.outOfOrder(entry.path);
    }
    if (!describesDisks && likeness === 'possible' && this.#rootTree.isComplete) throw this.#withoutDisk();
  }

  #several(one: string, other: string): TransferError {
    return new TransferError(
      'UnsupportedImage',
      `${this.#location} holds more than one disk image (${one}, ${other}), and a volume is one: ` +
        'import each from a file of its own',
    );
  }

  #withoutDisk(): TransferError {
    const { describesDisks, diskName } = this.#documents;
    return new TransferError(
      'NotAnImage',
      `${this.#location} ${describesDisks ? missing(diskName) : this.#whatElse()}`,
    );
  }

  #whatElse(): string {
    return this.#rootTree.isComplete
      ? 'is the archive of a root file system (of a container, maybe), and not of a disk: make a disk of it first'
      : 'is a tar archive without a disk image in it';
  }
}

/** Whether a member is a VMDK, possibly compressed. */
async function isVmdk({ path }: TarEntry, reader: ByteReader): Promise<boolean> {
  return /\.vmdk\b/i.test(path) || (await reader.peek(4)).toString('latin1') === 'KDMV';
}

function missing(name: string): string {
  return `has an OVF descriptor that names ${name} as its disk, and ${name} is not in the archive: it is incomplete`;
}

async function copyOf({ entry, reader }: FoundDisk): Promise<ByteReader> {
  const bytes = Buffer.from(await reader.take(entry.size));
  return new ByteReader(
    (async function* (): ByteStream {
      yield bytes;
    })(),
  );
}
