import type { HttpBody } from './body.ts';
import type { Pace } from './pace.ts';
import { TooSlow } from './too-slow.ts';

/** Most bytes that are discarded by default to keep a connection usable. */
const LARGEST_IGNORED = 64 * 1024;
/** Longest time for that in milliseconds: a new connection takes less. */
const LONGEST_IGNORED = 2000;

/** A body that has to keep a minimum rate. Its chunks are lent in the same way as those of the wrapped body. */
export class PacedBody implements HttpBody {
  readonly readInto: HttpBody['readInto'];
  readonly #body: HttpBody;
  readonly #pace: Pace;
  #isTooSlow = false;

  constructor(body: HttpBody, pace: Pace) {
    this.#body = body;
    this.#pace = pace;
    const readInto = body.readInto?.bind(body);
    this.readInto =
      readInto &&
      ((memory) =>
        this.#wait(
          () => readInto(memory),
          (length) => length,
        ));
  }

  /** @throws TooSlow, and the errors of the body */
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
      // The rest is not needed.
      this.destroy();
    } finally {
      clearTimeout(overdue);
    }
  }

  destroy(): void {
    this.#body.destroy();
  }

  async #next(chunks: AsyncIterator<Buffer>): Promise<IteratorResult<Buffer, unknown>> {
    const next = await this.#wait(
      () => chunks.next(),
      ({ done, value }) => (done === true ? 0 : value.length),
    );
    if (next.done === true && this.#isTooSlow) throw new TooSlow(this.#pace.lowest);
    return next;
  }

  /** @param lengthOf returns how many bytes have arrived */
  async #wait<Result>(work: () => Promise<Result>, lengthOf: (result: Result) => number): Promise<Result> {
    let arrived = 0;
    const wait = this.#pace.begin(() => {
      this.#isTooSlow = true;
      this.destroy();
    });
    try {
      const result = await work();
      arrived = lengthOf(result);
      return result;
    } catch (error) {
      throw this.#isTooSlow ? new TooSlow(this.#pace.lowest) : error;
    } finally {
      wait.end(arrived);
    }
  }
}
