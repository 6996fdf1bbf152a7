import { MemoryPool } from '../../base/memory-pool.ts';
import type { RangeReader } from '../../base/source.ts';

const BLOCK = 1024 * 1024;
const MOST_BLOCKS = 24;
/**
 * Most blocks to read ahead. The others can be in use at once: qemu-img has eight readers, which request 2 MiB each.
 */
const MOST_AHEAD = 4;
const MOST_LENT = MOST_BLOCKS - MOST_AHEAD;

interface Block {
  memory: Buffer;
  /** Rejects where the block could not be read. */
  filled: Promise<unknown>;
  /** Number of readers and writers of its memory. */
  users: number;
  hasFailed: boolean;
}

/**
 * Turns the many small reads of a converter into few large ones, and reads ahead where a file is read in order. Data is
 * lent, in reused memory. The head of the object is kept, so that the converter sees what was checked.
 */
export class CachingReader {
  readonly size: number;
  /** Memory of all blocks. */
  readonly memory = new MemoryPool(MOST_BLOCKS * BLOCK, BLOCK);
  readonly #source: RangeReader;
  readonly #head: Buffer;
  /** Blocks in the order of their last use. */
  readonly #blocks = new Map<number, Block>();
  #ahead = 0;
  #lent = 0;
  /** Resolves when all earlier requests have been admitted. */
  #admission: Promise<void> = Promise.resolve();
  #returned = (): void => {};

  /** @param head the first bytes of the object, as they were read before */
  constructor(source: RangeReader, head: Buffer) {
    this.size = source.size;
    this.#source = source;
    this.#head = head;
  }

  /**
   * Lends a part of the object, in pieces, until `use` has ended. Waits for its turn, and for others to return their
   * pieces, where there is no more memory.
   *
   * @param offset and `length`, of a part that the object has
   * @throws RangeError for more than 19 MiB
   */
  async lend(offset: number, length: number, use: (pieces: Buffer[]) => Promise<void>): Promise<void> {
    const end = offset + length;
    const start = Math.min(end, Math.max(offset, this.#head.length));
    const first = Math.floor(start / BLOCK);
    const count = start < end ? Math.ceil(end / BLOCK) - first : 0;
    await this.#admit(count);
    const used = Array.from({ length: count }, (_, index) => this.#block(first + index));
    try {
      const filled = used.map((block) => block.filled);
      // Until then, reads occupy memory even if nothing needs them.
      await Promise.allSettled(filled);
      await Promise.all(filled);
      const pieces = used.map(({ memory }, index) => {
        const at = (first + index) * BLOCK;
        return memory.subarray(Math.max(0, start - at), Math.min(BLOCK, end - at));
      });
      await use(offset < start ? [this.#head.subarray(offset, start), ...pieces] : pieces);
    } finally {
      for (const block of used) this.#release(block);
      this.#lent -= count;
      this.#returned();
    }
  }

  async #admit(blocks: number): Promise<void> {
    if (blocks > MOST_LENT) throw new RangeError(`more than ${MOST_LENT} blocks of an image are asked for at once`);
    const admission = this.#admission.then(async () => {
      while (this.#lent + blocks > MOST_LENT) await new Promise<void>((resolve) => (this.#returned = resolve));
      this.#lent += blocks;
    });
    this.#admission = admission;
    await admission;
  }

  /** Returns a block, which has to be released. */
  #block(index: number): Block {
    const block = this.#fetch(index);
    block.users += 1;
    const next = index + 1;
    const goesOn = this.#blocks.has(index - 1) && next * BLOCK < this.size && !this.#blocks.has(next);
    if (goesOn && this.#ahead < MOST_AHEAD) {
      const ahead = () => (this.#ahead -= 1);
      this.#ahead += 1;
      this.#fetch(next).filled.then(ahead, ahead);
    }
    return block;
  }

  #fetch(index: number): Block {
    const block = this.#blocks.get(index) ?? this.#read(index);
    this.#blocks.delete(index);
    this.#blocks.set(index, block);
    return block;
  }

  #read(index: number): Block {
    const memory = this.#spareMemory();
    const start = index * BLOCK;
    const filled = this.#source.read(start, Math.min(BLOCK, this.size - start), memory);
    const block = { memory, filled, users: 1, hasFailed: false };
    filled.then(
      () => {
        this.#release(block);
      },
      // Readers of the block get the failure; a block that was only read ahead is requested again.
      () => {
        block.hasFailed = true;
        this.#blocks.delete(index);
        this.#release(block);
      },
    );
    return block;
  }

  #release(block: Block): void {
    block.users -= 1;
    if (block.users === 0 && block.hasFailed) this.memory.giveBack(block.memory.buffer as ArrayBuffer);
  }

  /** Takes the memory of the least recently used free block, unless more may be allocated. */
  #spareMemory(): Buffer {
    const memory = this.memory.take();
    if (memory !== undefined) return Buffer.from(memory);
    for (const [index, block] of this.#blocks) {
      if (block.users > 0) continue;
      this.#blocks.delete(index);
      return block.memory;
    }
    throw new Error('all blocks of an image are in use');
  }
}
