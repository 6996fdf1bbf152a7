import type { HttpBody } from '../body.ts';
import type { BodyStream } from './body-stream.ts';
import { ConnectionClosed } from './connection-closed.ts';

/** A body of known length that arrives unencoded. Its chunks are lent until the next one is requested. */
export class KnownLengthBody implements HttpBody {
  readonly #stream: BodyStream;
  readonly #onEnd: () => void;
  #left: number;
  #isOver = false;

  /** @param onEnd called once all of it has been read */
  constructor(stream: BodyStream, length: number, onEnd: () => void) {
    this.#stream = stream;
    this.#left = length;
    this.#onEnd = onEnd;
    if (length === 0) this.destroy();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, void> {
    const { received, timeout } = this.#stream;
    try {
      while (this.#left > 0) {
        const bytes = await received.take(this.#left, timeout);
        if (bytes.length === 0) throw new ConnectionClosed(`the connection was closed ${this.#left} bytes too early`);
        this.#left -= bytes.length;
        yield bytes;
      }
    } finally {
      this.destroy();
    }
  }

  async readInto(memory: Buffer): Promise<number> {
    const { received, timeout } = this.#stream;
    const wanted = memory.subarray(0, this.#left);
    try {
      const length = await received.fill(wanted, timeout);
      this.#left -= length;
      if (length < wanted.length) {
        throw new ConnectionClosed(`the connection was closed ${this.#left} bytes too early`);
      }
    } catch (error) {
      this.destroy();
      throw error;
    }
    if (this.#left === 0) this.destroy();
    return wanted.length;
  }

  async dump({ limit }: { limit: number } = { limit: Infinity }): Promise<void> {
    if (this.#left > limit) this.destroy();
    const rest = this[Symbol.asyncIterator]();
    while (!this.#isOver) await rest.next();
  }

  destroy(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#left > 0) this.#stream.close();
    else this.#onEnd();
  }
}
