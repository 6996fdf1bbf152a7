import type { RangeReader } from '../source.ts';

const BLOCK = 1024 * 1024;
const MOST_BLOCKS = 24;

/**
 * Turns the many small reads of a converter into few large ones, and reads ahead where it goes through a file in order.
 * The object's head is kept, so that what was checked there is what is used.
 */
export class CachingReader implements RangeReader {
  readonly size: number;
  readonly #source: RangeReader;
  readonly #head: Buffer;
  /** In the order of their last use. */
  readonly #blocks = new Map<number, Promise<Buffer>>();

  /** @param head the object's first bytes, as they were read before */
  constructor(source: RangeReader, head: Buffer) {
    this.size = source.size;
    this.#source = source;
    this.#head = head;
  }

  async read(offset: number, length: number): Promise<Buffer> {
    const end = offset + length;
    if (end <= this.#head.length) return this.#head.subarray(offset, end);
    const parts: Buffer[] = [];
    for (let at = offset; at < end;) {
      if (at < this.#head.length) {
        parts.push(this.#head.subarray(at));
        at = this.#head.length;
        continue;
      }
      const index = Math.floor(at / BLOCK);
      const start = at - index * BLOCK;
      const part = (await this.#block(index)).subarray(start, start + end - at);
      parts.push(part);
      at += part.length;
    }
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
  }

  #block(index: number): Promise<Buffer> {
    const block = this.#fetch(index);
    if (this.#blocks.has(index - 1) && (index + 1) * BLOCK < this.size) void this.#fetch(index + 1);
    return block;
  }

  #fetch(index: number): Promise<Buffer> {
    let block = this.#blocks.get(index);
    if (block === undefined) {
      block = this.#source.read(index * BLOCK, Math.min(BLOCK, this.size - index * BLOCK));
      // Who needs it learns of its failure; what was only read ahead is asked for again.
      block.catch(() => this.#blocks.delete(index));
    }
    this.#blocks.delete(index);
    this.#blocks.set(index, block);
    for (const oldest of this.#blocks.keys()) {
      if (this.#blocks.size <= MOST_BLOCKS) break;
      this.#blocks.delete(oldest);
    }
    return block;
  }
}
