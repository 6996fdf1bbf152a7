import type { FileHandle } from 'node:fs/promises';
import { MemoryPool } from '../base/memory-pool.ts';
import type { Progress } from '../base/progress.ts';
import { dataRuns, isZero, SHORTEST_HOLE } from '../base/zeros.ts';
import { alignableLength, alignedPart, TargetFile } from './target-file.ts';

const BLOCK_SIZE = 1024 * 1024;
const BLOCKS = 4;
/** The size of the pieces that are checked for zeros before anything is copied, in bytes. */
const PIECE = 64 * 1024;

interface Block {
  memory: Buffer;
  /** Offset of the block on the target; a multiple of the block size. */
  at: number;
  start: number;
  end: number;
  written: Promise<void>;
}

/**
 * Gathers extents into large aligned writes, leaves zeros out, and writes behind the caller with a fixed number of
 * buffers.
 */
export class CoalescingWriter {
  /** The memory of all blocks. */
  readonly memory = new MemoryPool(BLOCKS * alignableLength(BLOCK_SIZE), alignableLength(BLOCK_SIZE));
  readonly #file: TargetFile;
  readonly #progress: Progress;
  readonly #onWritten: (start: number, end: number) => void;
  readonly #blocks: Block[] = [];
  #current: Block | undefined;
  #failure: unknown;

  constructor(file: FileHandle, progress: Progress, onWritten: (start: number, end: number) => void = () => {}) {
    this.#file = new TargetFile(file);
    this.#progress = progress;
    this.#onWritten = onWritten;
  }

  async write(offset: number, data: Buffer): Promise<void> {
    for (let done = 0; done < data.length;) {
      const place = offset + done;
      const piece = data.subarray(done, done + PIECE - (place % PIECE));
      done += piece.length;
      // A short hole is written, because leaving it out would split a write.
      if (piece.length >= SHORTEST_HOLE && isZero(piece)) continue;
      const at = Math.floor(place / BLOCK_SIZE) * BLOCK_SIZE;
      const block = await this.#blockFor(at, place - at);
      piece.copy(block.memory, place - at);
      block.end = place - at + piece.length;
    }
  }

  /** Waits until everything that was written before the call is durable on the target. */
  async flush(): Promise<void> {
    this.#send();
    await Promise.all(this.#blocks.map((block) => block.written));
    this.#throwFailure();
    await this.#file.sync();
  }

  /** Waits for writes in flight, and ignores their outcome. Nothing can be written after this. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.#blocks.map((block) => block.written));
    for (const block of this.#blocks.splice(0)) this.#discard(block);
    if (this.#current !== undefined) this.#discard(this.#current);
    this.#current = undefined;
    this.memory.close();
    await this.#file.close();
  }

  async #blockFor(at: number, start: number): Promise<Block> {
    const current = this.#current;
    if (current !== undefined) {
      if (current.at === at && current.end === start && start < BLOCK_SIZE) return current;
      this.#send();
    }
    const memory = alignedPart(await this.#freeMemory(), BLOCK_SIZE);
    this.#throwFailure();
    this.#current = { memory, at, start, end: start, written: Promise.resolve() };
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

  async #store(block: Block): Promise<void> {
    const data = block.memory.subarray(block.start, block.end);
    const position = block.at + block.start;
    for (const [start, end] of dataRuns(data)) {
      await this.#file.write(data.subarray(start, end), position + start);
      this.#onWritten(position + start, position + end);
      this.#progress.wrote(end - start);
    }
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure as Error;
  }
}
