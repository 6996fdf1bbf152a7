import type { HttpBody } from './body.ts';

const nothing = Buffer.alloc(0);

/** Reads a body into memory, in parts of any size. */
export class BodyReader {
  readonly #body: HttpBody;
  #chunks: AsyncIterator<Buffer> | undefined;
  /** What has come and was not asked for yet; lent until the next chunk is requested. */
  #rest: Buffer = nothing;

  constructor(body: HttpBody) {
    this.#body = body;
  }

  /**
   * Fills memory as far as it can at once.
   *
   * @returns how many bytes it is; 0 at the end of the body
   * @throws the errors of the body
   */
  async read(memory: Buffer): Promise<number> {
    if (this.#body.readInto !== undefined) return this.#body.readInto(memory);
    this.#chunks ??= this.#body[Symbol.asyncIterator]();
    if (this.#rest.length === 0) {
      const next = await this.#chunks.next();
      this.#rest = next.done === true ? nothing : next.value;
    }
    const length = this.#rest.copy(memory);
    this.#rest = this.#rest.subarray(length);
    return length;
  }

  /** Closes the connection, because the rest is not needed. */
  destroy(): void {
    this.#body.destroy();
  }
}
