import type { DiskRange, DiskSource } from '../../base/disk-source.ts';
import type { ChangedArea } from '../vsphere/changed-areas.ts';
import { allocationOf } from './allocation.ts';
import { changedRanges } from './changed-ranges.ts';
import type { LibraryReport } from './library-report.ts';
import { ServedDisk, type ServedDiskOptions } from './served-disk.ts';

/** Bytes; smaller reads are made of whole sectors. */
const SECTOR = 512;
/** Reads through vCenter may have no more bytes. */
const LARGEST_READ = 1024 * 1024;
const CONCURRENCY = 8;

export interface VddkDiskOptions extends ServedDiskOptions {
  /** Identifies the content besides the size. */
  readonly identity: string;
  /** All names of the snapshot that the disk is; undefined where it is none. */
  readonly snapshotNames?: readonly string[] | undefined;
  /** What a later stage of a multi-stage import is about; undefined for the whole disk. */
  readonly changes?: readonly ChangedArea[] | undefined;
}

/** A virtual disk of VMware, read by the VDDK library in a process of its own. */
export class VddkDisk implements DiskSource {
  readonly location: string;
  readonly version: string;
  readonly snapshotNames: readonly string[] | undefined;
  readonly size: number;
  readonly concurrency = CONCURRENCY;
  readonly largestRead = LARGEST_READ;
  readonly #served: ServedDisk;
  readonly #options: VddkDiskOptions;

  private constructor(served: ServedDisk, options: VddkDiskOptions, size: number) {
    this.location = options.location;
    this.version = `${options.identity} ${size}`;
    this.snapshotNames = options.snapshotNames;
    this.size = size;
    this.#served = served;
    this.#options = options;
  }

  /** @throws TransferError */
  static async open(options: VddkDiskOptions): Promise<VddkDisk> {
    const served = new ServedDisk(options);
    try {
      return new VddkDisk(served, options, await served.use((client) => Promise.resolve(client.size)));
    } catch (error) {
      await served.close();
      throw error;
    }
  }

  /** What the library has told about itself. */
  get report(): LibraryReport {
    return this.#served.report;
  }

  async *ranges(from: number): AsyncGenerator<DiskRange> {
    const { changes } = this.#options;
    const allocated = (offset: number, end: number): AsyncIterable<DiskRange> => this.#allocated(offset, end);
    yield* changes === undefined ? allocated(from, this.size) : changedRanges(from, this.size, changes, allocated);
  }

  async read(offset: number, into: Buffer): Promise<void> {
    const { patience } = this.#options;
    const start = Math.floor(offset / SECTOR) * SECTOR;
    const end = Math.ceil((offset + into.length) / SECTOR) * SECTOR;
    const isWhole = start === offset && end === offset + into.length;
    const whole = isWhole ? into : Buffer.allocUnsafe(end - start);
    await this.#served.use((client) => client.read(start, whole));
    if (!isWhole) whole.copy(into, 0, offset - start, offset - start + into.length);
    patience.received(into.length);
  }

  async close(): Promise<void> {
    await this.#served.close();
  }

  async *#allocated(from: number, end: number): AsyncGenerator<DiskRange> {
    for (let offset = from; offset < end;) {
      for (const range of await this.#served.use((client) => allocationOf(client, offset, end))) {
        yield range;
        offset = range.offset + range.length;
      }
    }
  }
}
