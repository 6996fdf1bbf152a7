import { processors } from '../../base/native/processors.ts';
import { type BlockCodec, decompressBlock } from './block-codecs.ts';

/**
 * Blocks that are decompressed at once: while one thread waits for its next block, another one keeps the processor
 * busy. The other threads of Node's pool are left to the disk and to names.
 */
const MOST_AT_ONCE = Math.min(4, 2 * processors());

interface QueuedBlock {
  readonly compressed: Buffer;
  readonly output: Buffer;
  readonly resolve: (decoded: number) => void;
}

/** Decompresses blocks on threads of Node's pool, several at once, in the order in which they are added. */
export class BlockQueue {
  readonly #codec: BlockCodec;
  readonly #queue: QueuedBlock[] = [];
  #running = 0;

  constructor(codec: BlockCodec) {
    this.#codec = codec;
  }

  /**
   * Decompresses a block.
   *
   * @param compressed as {@link decompressBlock} takes it
   * @returns the number of bytes; -1 where the block is damaged, or exceeds the output
   */
  decode(compressed: Buffer, output: Buffer): Promise<number> {
    return new Promise((resolve) => {
      this.#queue.push({ compressed, output, resolve });
      if (this.#running < MOST_AT_ONCE) void this.#run();
    });
  }

  /** Abandons the blocks that have not been begun. */
  close(): void {
    this.#queue.length = 0;
  }

  async #run(): Promise<void> {
    this.#running += 1;
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      const { compressed, output, resolve } = next;
      resolve(await decompressBlock(this.#codec, compressed, output).catch(() => -1));
    }
    this.#running -= 1;
  }
}
