import type { ArchiveBudget } from '../archive/archive-budget.ts';
import { readTar, type TarEntry } from '../archive/tar-reader.ts';
import { ByteReader, type ByteStream } from '../../base/bytes.ts';
import { TransferError } from '../../base/errors.ts';
import type { DiskFiles } from './chunks.ts';
import type { Likeness } from './disk-likeness.ts';
import { DoubtfulMember } from './doubtful-member.ts';
import { MemberJudge } from './member-judge.ts';
import { PackageDocuments } from './package-documents.ts';
import { RootTree } from './root-tree.ts';

/** In bytes: firmware variables and the state of a machine have a few MiB, and no disk of an operating system is as small. */
const LARGEST_KEPT = 16 * 1024 * 1024;

interface FoundDisk {
  entry: TarEntry;
  likeness: Likeness;
  /** From its first byte on. */
  reader: ByteReader;
  /** What a descriptor says of it. */
  files: DiskFiles | undefined;
}

export interface TarredDiskOptions {
  /** Of the archive, for messages. */
  location: string;
  /** How deep it is nested in others; the outermost is 0. */
  depth: number;
  /** How much is looked through. */
  budget: ArchiveBudget;
  /** Whether members that only might be disks are passed over. */
  certainOnly: boolean;
}

/** The one disk image in a tar archive, which may be an OVA: an OVF descriptor, its disk, and a manifest. */
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
   * Goes forward to the first member that is a disk image, by its content or by what the OVF descriptor says.
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

  /** Of the member that it is, or where it is in several files, that it begins in. */
  get path(): string {
    return this.#found.entry.path;
  }

  /** In bytes, the holes of a sparse file included; undefined where it is in several files. */
  get size(): number | undefined {
    return this.#isChunked ? undefined : this.#found.entry.size;
  }

  /** Where it begins in the stream that the archive was read from; undefined where it is sparse, or in several files. */
  get offset(): number | undefined {
    return this.#isChunked ? undefined : this.#found.entry.offset;
  }

  /** Whether it only might be a disk, and what comes behind it has not been looked at yet. */
  get isDoubtful(): boolean {
    return this.#found.likeness === 'possible' && !this.#isLookedThrough;
  }

  /**
   * The disk image. Ends only after the rest of the archive was read, and agrees.
   *
   * @throws TransferError ChecksumMismatch, UnsupportedImage where there is a second disk, TruncatedImage, NotAnImage; in place of the end
   * @throws DoubtfulMember where it only might be a disk, and a certain one comes behind it; in place of the end
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

  /** Passes over files that are only possible disks, as long as there may be a certain one, and they are small or several. */
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
      // What was looked at is no more wanted than the rest.
      this.#budget.countSkipped(this.#reader.position - start);
    }
  }

  /** A VMDK may be the disk of a package whose documents come behind it; to hash every disk would cost too much for that. */
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

  /** @throws TransferError NotAnImage where what was found is not what the rest of the archive tells of */
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

/** Or one that is compressed. */
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
