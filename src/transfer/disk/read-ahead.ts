import type { DiskRange, DiskSource } from '../../base/disk-source.ts';
import { MemoryPool } from '../../base/memory-pool.ts';
import type { Progress } from '../../base/progress.ts';
import { unlessAborted } from '../../base/unless-aborted.ts';
import { alignableLength, alignedPart } from '../../sink/target-file.ts';
import { piecesOf } from './pieces.ts';

const KIBIBYTE = 1024;
/** Memory of everything that is being read, or waits for its turn, in bytes. */
const MEMORY = 16 * 1024 * KIBIBYTE;
/** Longer reads gain nothing, in bytes. */
const LONGEST_READ = 4 * 1024 * KIBIBYTE;
/** Lengths of reads are multiples of this, in bytes. */
const ALIGNMENT = 64 * KIBIBYTE;
/** Most pieces ahead, of which those without data take no memory. */
const MOST_AHEAD = 256;

/** A part of a disk in its turn. The data is lent until the next piece is requested; zeros and the like have none. */
export interface ReadPiece extends DiskRange {
  readonly data: Buffer | undefined;
  /** Lends the data until the promise has settled. */
  readonly keepUntil: (settled: Promise<unknown>) => void;
}

interface StartedPiece extends DiskRange {
  readonly memory: ArrayBuffer | undefined;
  readonly data: Promise<Buffer | undefined>;
  /** Until when the data is lent after its turn. */
  kept?: Promise<unknown>;
}

export interface ReadAheadOptions {
  disk: DiskSource;
  /** Offset in bytes from which the disk is read. */
  from: number;
  progress: Progress;
  signal?: AbortSignal | undefined;
}

/** Reads the data of a disk, several pieces at the same time, and passes them on in order. Only data is read. */
export class ReadAhead {
  /** Memory of all pieces. */
  readonly memory: MemoryPool;
  readonly #options: ReadAheadOptions;
  readonly #longest: number;
  /** Starts the reads that wait until fewer are in progress. */
  readonly #waiting: (() => void)[] = [];
  /** Memory that is lent after its turn, until each promise has settled. */
  readonly #kept = new Set<Promise<void>>();
  #reading = 0;

  constructor(options: ReadAheadOptions) {
    this.#options = options;
    const { concurrency, largestRead } = options.disk;
    // While a piece is awaited, others that came earlier wait for their turn, and still others are read.
    const pieces = concurrency + Math.max(2, Math.floor(concurrency / 4));
    const share = Math.max(1, Math.floor(MEMORY / pieces / ALIGNMENT)) * ALIGNMENT;
    this.#longest = Math.min(largestRead, LONGEST_READ, share);
    // The sink writes aligned pieces from where they are.
    const length = alignableLength(this.#longest);
    this.memory = new MemoryPool(pieces * length, length);
  }

  /**
   * @throws TransferError; the signal's reason, without waiting for reads in progress, as closing the disk ends them
   */
  async *pieces(): AsyncGenerator<ReadPiece, void, void> {
    const { disk, from, progress, signal } = this.#options;
    const unread = piecesOf(disk, from, this.#longest);
    const ahead: StartedPiece[] = [];
    let next: DiskRange | undefined;
    let ended = false;
    try {
      for (;;) {
        while (!ended && ahead.length < MOST_AHEAD) {
          next ??= (await unlessAborted(unread.next(), signal)).value ?? undefined;
          ended = next === undefined;
          const started = next && this.#start(next);
          if (started === undefined) break;
          ahead.push(started);
          next = undefined;
        }
        const first = ahead[0];
        if (first === undefined) {
          if (ended) return;
          // All memory is kept.
          await Promise.race(this.#kept);
          continue;
        }
        progress.awaiting();
        const { offset, length, content } = first;
        const data = await unlessAborted(first.data, signal);
        const keepUntil = (settled: Promise<unknown>): void => {
          first.kept = settled;
        };
        yield { offset, length, content, data, keepUntil };
        ahead.shift();
        if (first.kept !== undefined) this.#giveBackAfter(first);
        else if (first.memory !== undefined) this.memory.giveBack(first.memory);
      }
    } finally {
      this.#waiting.length = 0;
      this.memory.close();
      for (const piece of ahead) this.#giveBackAfter(piece);
      void unread.return().catch(() => {});
    }
  }

  /** Starts to read a piece; returns undefined while there is no memory for it. */
  #start(range: DiskRange): StartedPiece | undefined {
    if (range.content !== 'data') return { ...range, memory: undefined, data: Promise.resolve(undefined) };
    const memory = this.memory.take();
    if (memory === undefined) return undefined;
    const data = this.#read(range.offset, alignedPart(memory, range.length));
    // Awaited in its turn; until then its failure must not count as unhandled.
    data.catch(() => {});
    return { ...range, memory, data };
  }

  async #read(offset: number, into: Buffer): Promise<Buffer> {
    const { disk, progress } = this.#options;
    if (this.#reading >= disk.concurrency) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#reading += 1;
    try {
      await disk.read(offset, into);
      progress.read(into.length);
      return into;
    } finally {
      const waiting = this.#waiting.shift();
      if (waiting === undefined) this.#reading -= 1;
      else waiting();
    }
  }

  /** Gives memory back once it is neither read into nor lent any more. */
  #giveBackAfter({ memory, data, kept }: StartedPiece): void {
    if (memory === undefined) return;
    const released = Promise.allSettled([data, kept]).then(() => {
      this.#kept.delete(released);
      this.memory.giveBack(memory);
    });
    this.#kept.add(released);
  }
}
