import type { FileHandle } from 'node:fs/promises';
import type { Progress } from '../progress.ts';
import { dataRuns } from './zeros.ts';

const BLOCK_SIZE = 1024 * 1024;
const BLOCKS = 3;
/** Dirty pages count against the pod's memory; written back this often, at most twice as many are ever dirty. */
const SYNC_EVERY = 32 * 1024 * 1024;

interface Block {
  memory: Buffer;
  /** Offset of the block on the target; a multiple of its size. */
  at: number;
  start: number;
  end: number;
  written: Promise<void>;
}

/**
 * Gathers extents into large aligned writes, leaves zeros out, and writes behind the caller with a fixed number of
 * buffers. Data is synced behind the writer.
 */
export class CoalescingWriter {
  readonly #file: FileHandle;
  readonly #progress: Progress;
  readonly #onWritten: (start: number, end: number) => void;
  readonly #blocks: Block[] = [];
  #current: Block | undefined;
  #failure: unknown;
  #unsynced = 0;
  #syncing: Promise<void> | undefined;

  constructor(file: FileHandle, progress: Progress, onWritten: (start: number, end: number) => void = () => {}) {
    this.#file = file;
    this.#progress = progress;
    this.#onWritten = onWritten;
  }

  async write(offset: number, data: Buffer): Promise<void> {
    let done = 0;
    while (done < data.length) {
      const at = Math.floor((offset + done) / BLOCK_SIZE) * BLOCK_SIZE;
      const start = offset + done - at;
      const block = await this.#blockFor(at, start);
      const copied = data.copy(block.memory, start, done);
      block.end = start + copied;
      done += copied;
    }
  }

  /** Waits until everything that was written before the call is on the target and durable. */
  async flush(): Promise<void> {
    this.#send();
    await Promise.all(this.#blocks.map((block) => block.written));
    await this.#syncing;
    this.#throwFailure();
    await this.#file.datasync();
  }

  /** Waits for writes under way, without caring how they end. */
  async settle(): Promise<void> {
    await Promise.allSettled([...this.#blocks.map((block) => block.written), this.#syncing]);
  }

  async #blockFor(at: number, start: number): Promise<Block> {
    const current = this.#current;
    if (current !== undefined) {
      if (current.at === at && current.end === start && start < BLOCK_SIZE) return current;
      this.#send();
    }
    const block = await this.#freeBlock();
    this.#throwFailure();
    Object.assign(block, { at, start, end: start });
    this.#current = block;
    return block;
  }

  async #freeBlock(): Promise<Block> {
    if (this.#blocks.length < BLOCKS) {
      return { memory: Buffer.allocUnsafeSlow(BLOCK_SIZE), at: 0, start: 0, end: 0, written: Promise.resolve() };
    }
    const oldest = this.#blocks.shift();
    if (oldest === undefined) throw new Error('a writer without blocks');
    await oldest.written;
    return oldest;
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
      await this.#writeFully(data.subarray(start, end), position + start);
      this.#onWritten(position + start, position + end);
      this.#progress.wrote(end - start);
      this.#unsynced += end - start;
    }
    if (this.#unsynced >= SYNC_EVERY) {
      await this.#syncing;
      this.#unsynced = 0;
      this.#syncing = this.#file.datasync().catch((error: unknown) => {
        this.#failure ??= error;
      });
    }
  }

  async #writeFully(data: Buffer, position: number): Promise<void> {
    let done = 0;
    while (done < data.length) {
      const { bytesWritten } = await this.#file.write(data, done, data.length - done, position + done);
      done += bytesWritten;
    }
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure as Error;
  }
}
