import type { HttpBody } from './body.ts';
import type { Pace } from './pace.ts';
import { TooSlow } from './too-slow.ts';

/** What is passed over so that a connection can be used again, unless somebody says otherwise, in bytes. */
const LARGEST_IGNORED = 64 * 1024;
/** And for how long, in milliseconds: a new connection takes less. */
const LONGEST_IGNORED = 2000;

/** A body that has to come at a lowest rate. Its chunks are lent as the other one's are. */
export class PacedBody implements HttpBody {
  readonly #body: HttpBody;
  readonly #pace: Pace;
  #isTooSlow = false;

  constructor(body: HttpBody, pace: Pace) {
    this.#body = body;
    this.#pace = pace;
  }

  /** @throws TooSlow, and what the body fails with */
  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, void> {
    const chunks = this.#body[Symbol.asyncIterator]();
    try {
      for (let next = await this.#next(chunks); next.done !== true; next = await this.#next(chunks)) yield next.value;
    } finally {
      await chunks.return?.();
    }
  }

  async dump({ limit }: { limit: number } = { limit: LARGEST_IGNORED }): Promise<void> {
    const overdue = setTimeout(() => this.destroy(), LONGEST_IGNORED);
    try {
      await this.#body.dump({ limit });
    } catch {
      // Nobody wants it.
      this.destroy();
    } finally {
      clearTimeout(overdue);
    }
  }

  destroy(): void {
    this.#body.destroy();
  }

  async #next(chunks: AsyncIterator<Buffer>): Promise<IteratorResult<Buffer, unknown>> {
    let arrived = 0;
    const wait = this.#pace.begin(() => {
      this.#isTooSlow = true;
      this.destroy();
    });
    try {
      const next = await chunks.next();
      if (next.done !== true) arrived = next.value.length;
      else if (this.#isTooSlow) throw new TooSlow(this.#pace.lowest);
      return next;
    } catch (error) {
      throw this.#isTooSlow ? new TooSlow(this.#pace.lowest) : error;
    } finally {
      wait.end(arrived);
    }
  }
}
