import type { RangeReader } from '../source.ts';

const BLOCK = 1024 * 1024;
const MOST_BLOCKS = 24;

interface Block {
  memory: Buffer;
  /** Rejects where it could not be read. */
  filled: Promise<unknown>;
  /** Who reads from its memory, or into it. */
  users: number;
}

/**
 * Turns the many small reads of a converter into few large ones, and reads ahead where it goes through a file in order. What is
 * read is lent, in memory that is used again. The object's head is kept, so that what was checked there is what is used.
 */
export class CachingReader {
  readonly size: number;
  readonly #source: RangeReader;
  readonly #head: Buffer;
  /** In the order of their last use. */
  readonly #blocks = new Map<number, Block>();

  /** @param head the object's first bytes, as they were read before */
  constructor(source: RangeReader, head: Buffer) {
    this.size = source.size;
    this.#source = source;
    this.#head = head;
  }

  /**
   * Lends a part of the object, in pieces, until `use` has ended.
   *
   * @param offset and `length`, of a part that the object has
   */
  async lend(offset: number, length: number, use: (pieces: Buffer[]) => Promise<void>): Promise<void> {
    const end = offset + length;
    const start = Math.min(end, Math.max(offset, this.#head.length));
    const used: [index: number, block: Block][] = [];
    for (let index = Math.floor(start / BLOCK); start < end && index * BLOCK < end; index += 1) {
      const block = this.#block(index);
      block.users += 1;
      used.push([index, block]);
    }
    try {
      await Promise.all(used.map(([, { filled }]) => filled));
      const pieces = used.map(([index, { memory }]) => {
        const at = index * BLOCK;
        return memory.subarray(Math.max(0, start - at), Math.min(BLOCK, end - at));
      });
      await use(offset < start ? [this.#head.subarray(offset, start), ...pieces] : pieces);
    } finally {
      for (const [, block] of used) block.users -= 1;
    }
  }

  #block(index: number): Block {
    const block = this.#fetch(index);
    if (this.#blocks.has(index - 1) && (index + 1) * BLOCK < this.size) this.#fetch(index + 1);
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
    const block = { memory, filled, users: 1 };
    filled.then(
      () => (block.users -= 1),
      // Who needs it learns of its failure; what was only read ahead is asked for again.
      () => this.#blocks.delete(index),
    );
    return block;
  }

  /** That of the block which nobody has used for longest, unless there may be more. */
  #spareMemory(): Buffer {
    if (this.#blocks.size >= MOST_BLOCKS) {
      for (const [index, { memory, users }] of this.#blocks) {
        if (users > 0) continue;
        this.#blocks.delete(index);
        return memory;
      }
    }
    return Buffer.allocUnsafeSlow(BLOCK);
  }
}
