import type { DiskRange, DiskSource } from '../../base/disk-source.ts';
import { MemoryPool } from '../../base/memory-pool.ts';
import { alignableLength, alignedPart } from '../../base/native/aligned-memory.ts';
import type { Progress } from '../../base/progress.ts';
import { unlessAborted } from '../../base/unless-aborted.ts';
import { Coverage, type Run } from './coverage.ts';
import { piecesOf } from './pieces.ts';

const KIBIBYTE = 1024;
/** Memory of everything that is being read, or waits to be passed on, in bytes. */
const MEMORY = 16 * 1024 * KIBIBYTE;
/** Longer reads gain nothing, in bytes. */
const LONGEST_READ = 4 * 1024 * KIBIBYTE;
/** Lengths of reads are multiples of this, in bytes. */
const ALIGNMENT = 64 * KIBIBYTE;
/** Most runs of which something is left, of which those without data take no memory. */
const MOST_AHEAD = 256;

/** A part of a disk. The data is lent until the next piece is requested; zeros and the like have none. */
export interface ReadPiece extends DiskRange {
  readonly data: Buffer | undefined;
  /** Lends the data until the promise has settled. */
  readonly keepUntil: (settled: Promise<unknown>) => void;
}

interface ReadyPiece extends DiskRange {
  readonly run: Run;
  readonly memory?: ArrayBuffer;
  readonly data?: Buffer;
}

export interface ReadAheadOptions {
  disk: DiskSource;
  /** Offset in bytes from which the disk is read. */
  from: number;
  progress: Progress;
  signal?: AbortSignal | undefined;
}

/**
 * Reads the data of a disk, several runs of it at the same time, and passes its pieces on as they come: in order within
 * a run, and in any order otherwise. Only data is read.
 */
export class ReadAhead {
  /** Memory of all pieces. */
  readonly memory: MemoryPool;
  readonly #options: ReadAheadOptions;
  readonly #longest: number;
  readonly #coverage: Coverage;
  readonly #ready: ReadyPiece[] = [];
  /** Called when anything has changed that somebody may wait for. */
  readonly #waiting: (() => void)[] = [];
  #reading = 0;
  #isPlanned = false;
  /** Whether nobody requests pieces any more. */
  #isOver = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(options: ReadAheadOptions) {
    this.#options = options;
    this.#coverage = new Coverage(options.from);
    const { concurrency, largestRead } = options.disk;
    // While all readers read, pieces that have come wait to be passed on, or are kept.
    const pieces = concurrency + Math.max(2, Math.floor(concurrency / 4));
    const share = Math.max(1, Math.floor(MEMORY / pieces / ALIGNMENT)) * ALIGNMENT;
    this.#longest = Math.min(largestRead, LONGEST_READ, share);
    // The sink writes aligned pieces from where they are.
    const length = alignableLength(this.#longest);
    this.memory = new MemoryPool(pieces * length, length);
  }

  /** Offset before which everything has been passed on, with the piece that is lent. */
  get position(): number {
    return this.#coverage.position;
  }

  /**
   * @throws TransferError; the signal's reason, without waiting for reads in progress, as closing the disk ends them
   */
  async *pieces(): AsyncGenerator<ReadPiece, void, void> {
    const { progress, signal } = this.#options;
    void this.#plan();
    try {
      for (;;) {
        progress.awaiting();
        while (!this.#isDecided) await unlessAborted(this.#change(), signal);
        const piece = this.#ready.shift();
        if (piece === undefined) break;
        let kept: Promise<unknown> | undefined;
        const keepUntil = (settled: Promise<unknown>): void => {
          kept = settled;
        };
        this.#coverage.passed(piece.run, piece.offset + piece.length);
        try {
          yield { offset: piece.offset, length: piece.length, content: piece.content, data: piece.data, keepUntil };
        } finally {
          this.#giveBack(piece.memory, kept);
        }
      }
      if (this.#failure !== undefined) throw this.#failure.error;
    } finally {
      this.#isOver = true;
      this.memory.close();
      for (const { memory } of this.#ready.splice(0)) this.#giveBack(memory);
      this.#wake();
    }
  }

  /** Whether it is known what comes next: a piece, a failure or the end. */
  get #isDecided(): boolean {
    return this.#ready.length > 0 || this.#failure !== undefined || (this.#isPlanned && this.#reading === 0);
  }

  /** Starts one run after another, as many at a time as the disk allows, until one fails. */
  async #plan(): Promise<void> {
    const { disk, from } = this.#options;
    try {
      for await (const { offset, length, content } of piecesOf(disk, from, Infinity)) {
        const end = offset + length;
        for (let start = offset; start < end;) {
          await this.#until(() => this.#coverage.remaining < MOST_AHEAD && this.#reading < disk.concurrency);
          if (this.#isOver || this.#failure !== undefined) return;
          const isData = content === 'data';
          const runLength = Math.max(this.#longest, disk.runLength ?? 0);
          const run = this.#coverage.add(start, isData ? Math.min(end, start + runLength) : end);
          start = run.end;
          if (isData) void this.#read(run);
          else this.#pass({ offset, length, content, run });
        }
      }
      this.#isPlanned = true;
    } catch (error) {
      this.#failure ??= { error };
    }
    this.#wake();
  }

  /** Reads a run from its start to its end. */
  async #read(run: Run): Promise<void> {
    const { disk, progress } = this.#options;
    const { end } = run;
    this.#reading += 1;
    try {
      for (let offset = run.position; offset < end;) {
        const memory = await this.#takeMemory();
        if (memory === undefined) return;
        const data = alignedPart(memory, Math.min(this.#longest, end - offset));
        try {
          await disk.read(offset, data, end);
        } catch (error) {
          this.#giveBack(memory);
          throw error;
        }
        progress.read(data.length);
        this.#pass({ offset, length: data.length, content: 'data', run, memory, data });
        offset += data.length;
      }
    } catch (error) {
      this.#failure ??= { error };
    } finally {
      this.#reading -= 1;
      this.#wake();
    }
  }

  /** Waits for memory; returns undefined where nobody requests pieces any more. */
  async #takeMemory(): Promise<ArrayBuffer | undefined> {
    let memory: ArrayBuffer | undefined;
    for (; !this.#isOver && memory === undefined; memory ??= this.memory.take()) {
      if (this.memory.available === 0) await this.#change();
    }
    return memory;
  }

  #pass(piece: ReadyPiece): void {
    if (this.#isOver) this.#giveBack(piece.memory);
    else this.#ready.push(piece);
    this.#wake();
  }

  /** Gives memory back once it is not kept any more. */
  #giveBack(memory: ArrayBuffer | undefined, kept?: Promise<unknown>): void {
    const giveBack = (): void => {
      if (memory !== undefined) this.memory.giveBack(memory);
      this.#wake();
    };
    if (kept === undefined) giveBack();
    else kept.then(giveBack, giveBack);
  }

  /** Waits for a condition, or until nothing more has to be read. */
  async #until(isMet: () => boolean): Promise<void> {
    while (!isMet() && !this.#isOver && this.#failure === undefined) await this.#change();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
