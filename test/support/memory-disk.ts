import { setImmediate as turn } from 'node:timers/promises';
import type { DiskRange, DiskSource } from '../../src/base/disk-source.ts';

export interface MemoryDiskOptions {
  version?: string;
  snapshotNames?: readonly string[];
  concurrency?: number;
  largestRead?: number;
  /** Called with each read, counted from 1, before it is answered; a read fails with what it throws. */
  onRead?: (count: number) => Promise<void> | void;
}

/** A disk in memory that is served in ranges, the reads of which end in another order than they began in. */
export class MemoryDisk implements DiskSource {
  readonly location = 'memory://disk';
  readonly version: string;
  readonly snapshotNames: readonly string[] | undefined;
  readonly concurrency: number;
  readonly largestRead: number;
  /** How it was closed, each time. */
  readonly outcomes: string[] = [];
  /** Reads in progress at most. */
  mostReads = 0;
  bytesRead = 0;
  readonly #content: Buffer;
  readonly #map: readonly DiskRange[];
  readonly #onRead: (count: number) => Promise<void> | void;
  #reads = 0;
  #reading = 0;

  /** @param map covers the disk without gaps */
  constructor(content: Buffer, map: readonly DiskRange[], options: MemoryDiskOptions = {}) {
    this.#content = content;
    this.#map = map;
    this.version = options.version ?? '1';
    this.snapshotNames = options.snapshotNames;
    this.concurrency = options.concurrency ?? 4;
    this.largestRead = options.largestRead ?? 128 * 1024;
    this.#onRead = options.onRead ?? (() => {});
  }

  get size(): number {
    return this.#content.length;
  }

  /** Bytes of data on the map. */
  get dataLength(): number {
    return this.#map.reduce((sum, { length, content }) => sum + (content === 'data' ? length : 0), 0);
  }

  async *ranges(from: number): AsyncGenerator<DiskRange, void, void> {
    for (const { offset, length, content } of this.#map) {
      const start = Math.max(offset, from);
      if (offset + length > start) yield { offset: start, length: offset + length - start, content };
    }
  }

  async read(offset: number, into: Buffer): Promise<void> {
    const isData = this.#map.some(
      (range) =>
        range.content === 'data' && range.offset <= offset + into.length - 1 && range.offset + range.length > offset,
    );
    if (!isData || into.length > this.largestRead) throw new Error(`a read of ${into.length} bytes at ${offset}`);
    const count = (this.#reads += 1);
    this.#reading += 1;
    this.mostReads = Math.max(this.mostReads, this.#reading);
    try {
      for (let turns = (count * 7) % 5; turns >= 0; turns -= 1) await turn();
      await this.#onRead(count);
      this.#content.copy(into, 0, offset, offset + into.length);
      this.bytesRead += into.length;
    } finally {
      this.#reading -= 1;
    }
  }

  async close(outcome: 'complete' | 'incomplete'): Promise<void> {
    this.outcomes.push(outcome);
  }
}
