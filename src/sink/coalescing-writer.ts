import type { FileHandle } from 'node:fs/promises';
import type { Extent } from '../base/extents.ts';
import { MemoryPool } from '../base/memory-pool.ts';
import { alignableLength, alignedPart, isAligned } from '../base/native/aligned-memory.ts';
import type { Progress } from '../base/progress.ts';
import { settleAll } from '../base/settle-all.ts';
import { dataRuns, isZero, SHORTEST_HOLE } from '../base/zeros.ts';
import type { Range } from './range-set.ts';
import { TargetFile } from './target-file.ts';

const BLOCK_SIZE = 1024 * 1024;
const BLOCKS = 4;
/** Bytes in flight from where the data is: while one write is on its way to the device, that has others to work on. */
const MOST_IN_PLACE = 4 * BLOCK_SIZE;
/** Shortest data that is lent and written from where it is: less is better gathered. In bytes. */
const SHORTEST_LENT = 64 * 1024;
/** The size of the pieces that are checked for zeros before anything is copied, in bytes. */
const PIECE = 64 * 1024;

interface Block {
  memory: Buffer;
  /** Offset of the block on the target; a multiple of the block size. */
  at: number;
  /** What has to be written of it, from its start: ascending, none of it empty, with gaps between them. */
  runs: Range[];
  written: Promise<void>;
}

export interface WriterOptions {
  /** Called with each range that has been written. */
  onWritten?: (start: number, end: number) => void;
  /**
   * Makes a range read as zeros without writing to it; returns false where the target cannot do that, and zeros are
   * written. Without it zeros are left out, because the target reads as zeros already.
   */
  zero?: (range: Range) => Promise<boolean>;
}

/**
 * Gathers extents into large aligned writes, leaves zeros out or zeroes them, and writes behind the caller with a fixed
 * number of buffers. What is large and aligned already is written from where it is.
 */
export class CoalescingWriter {
  /** The memory of all blocks. */
  readonly memory = new MemoryPool(BLOCKS * alignableLength(BLOCK_SIZE), alignableLength(BLOCK_SIZE));
  readonly #file: TargetFile;
  readonly #progress: Progress;
  readonly #options: WriterOptions;
  readonly #blocks: Block[] = [];
  readonly #inPlace = new Set<Promise<void>>();
  #bytesInPlace = 0;
  #current: Block | undefined;
  #failure: unknown;
  /** Zeros that were passed and remain to be zeroed. */
  #zeros: Range | undefined;
  #zeroing: Promise<void> = Promise.resolve();

  constructor(file: FileHandle, progress: Progress, options: WriterOptions = {}) {
    this.#file = new TargetFile(file);
    this.#progress = progress;
    this.#options = options;
  }

  async write({ offset, data, keepUntil }: Extent): Promise<void> {
    const shortest = keepUntil === undefined ? BLOCK_SIZE : SHORTEST_LENT;
    if (data.length >= shortest && this.#options.zero === undefined && isAligned(data, offset)) {
      await this.#writeInPlace(offset, data, keepUntil);
      return;
    }
    for (let done = 0; done < data.length;) {
      const place = offset + done;
      const piece = data.subarray(done, done + PIECE - (place % PIECE));
      done += piece.length;
      // A short hole is written, because leaving it out would split a write.
      if (piece.length >= SHORTEST_HOLE && isZero(piece)) {
        if (this.#options.zero !== undefined) await this.#passZeros(place, place + piece.length);
        continue;
      }
      const at = Math.floor(place / BLOCK_SIZE) * BLOCK_SIZE;
      const block = this.#blockAt(at, place - at) ?? (await this.#nextBlock(at));
      piece.copy(block.memory, place - at);
      addRun(block.runs, place - at, place - at + piece.length);
    }
  }

  /** Waits until everything that was written before the call is durable on the target. */
  async flush(): Promise<void> {
    this.#send();
    await Promise.all([...this.#blocks.map((block) => block.written), ...this.#inPlace, this.#zeroPassed()]);
    this.#throwFailure();
    try {
      await this.#file.sync();
    } catch (error) {
      // What a failed sync has lost, the kernel does not tell of a second time.
      this.#failure ??= error;
      throw error;
    }
  }

  /** Waits for writes in flight, and ignores their outcome. Nothing can be written after this. */
  async settle(): Promise<void> {
    await Promise.allSettled([...this.#blocks.map((block) => block.written), ...this.#inPlace, this.#zeroing]);
    for (const block of this.#blocks.splice(0)) this.#discard(block);
    if (this.#current !== undefined) this.#discard(this.#current);
    this.#current = undefined;
    this.memory.close();
    await this.#file.close();
  }

  /** The current block, where the next data of it is what begins there: what lies scattered is written together. */
  #blockAt(at: number, start: number): Block | undefined {
    const current = this.#current;
    return current?.at === at && (current.runs.at(-1)?.end ?? 0) <= start ? current : undefined;
  }

  async #nextBlock(at: number): Promise<Block> {
    this.#send();
    const memory = alignedPart(await this.#freeMemory(), BLOCK_SIZE);
    this.#throwFailure();
    this.#current = { memory, at, runs: [], written: Promise.resolve() };
    return this.#current;
  }

  /** Takes memory for a block, and waits for the oldest write while there is none. */
  async #freeMemory(): Promise<ArrayBuffer> {
    for (;;) {
      const memory = this.memory.take();
      if (memory !== undefined) return memory;
      const oldest = this.#blocks.shift();
      if (oldest === undefined) throw new Error('a writer without blocks');
      await oldest.written;
      this.#discard(oldest);
    }
  }

  #discard({ memory }: Block): void {
    this.memory.giveBack(memory.buffer as ArrayBuffer);
  }

  #send(): void {
    const block = this.#current;
    if (block === undefined) return;
    this.#current = undefined;
    block.written = this.#store(block).catch((error: unknown) => {
      this.#failure ??= error;
    });
    this.#blocks.push(block);
  }

  async #store({ memory, at, runs }: Block): Promise<void> {
    const writes = runs.flatMap(({ start, end }) => {
      const data = memory.subarray(start, end);
      return this.#options.zero === undefined ? this.#beginRuns(at + start, data) : this.#writeRun(at + start, data);
    });
    await settleAll(writes);
  }

  /** Writes data from where it is, behind the caller where that lets it be kept. */
  async #writeInPlace(offset: number, data: Buffer, keepUntil: Extent['keepUntil']): Promise<void> {
    while (this.#bytesInPlace >= MOST_IN_PLACE) await Promise.race(this.#inPlace);
    this.#throwFailure();
    const writes = this.#beginRuns(offset, data);
    if (keepUntil === undefined) {
      await settleAll(writes);
      return;
    }
    const written = settleAll(writes)
      .then(
        () => undefined,
        (error: unknown) => void (this.#failure ??= error),
      )
      .finally(() => {
        this.#inPlace.delete(written);
        this.#bytesInPlace -= data.length;
      });
    this.#inPlace.add(written);
    this.#bytesInPlace += data.length;
    keepUntil(written);
  }

  /** Begins to write what is not zeros. */
  #beginRuns(position: number, data: Buffer): Promise<void>[] {
    return dataRuns(data).map(([start, end]) => this.#writeRun(position + start, data.subarray(start, end)));
  }

  async #writeRun(position: number, data: Buffer): Promise<void> {
    await this.#file.write(data, position);
    this.#options.onWritten?.(position, position + data.length);
    this.#progress.wrote(data.length);
  }

  /** Gathers neighbouring zeros, of which a call for each piece would take long. */
  async #passZeros(start: number, end: number): Promise<void> {
    if (this.#zeros?.end === start) {
      this.#zeros.end = end;
    } else {
      const passed = this.#zeroPassed();
      this.#zeros = { start, end };
      await passed;
    }
  }

  #zeroPassed(): Promise<void> {
    const range = this.#zeros;
    this.#zeros = undefined;
    if (range !== undefined) this.#zeroing = this.#zeroing.then(() => this.#zeroRange(range));
    return this.#zeroing;
  }

  async #zeroRange(range: Range): Promise<void> {
    if ((await this.#options.zero?.(range)) !== false) return;
    const zeros = alignedPart(new ArrayBuffer(alignableLength(BLOCK_SIZE)), BLOCK_SIZE);
    for (let at = range.start; at < range.end;) {
      const piece = zeros.subarray(0, Math.min(BLOCK_SIZE - (at % BLOCK_SIZE), range.end - at));
      await this.#file.write(piece, at);
      this.#progress.wrote(piece.length);
      at += piece.length;
    }
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure as Error;
  }
}

function addRun(runs: Range[], start: number, end: number): void {
  const last = runs.at(-1);
  if (last?.end === start) last.end = end;
  else runs.push({ start, end });
}
