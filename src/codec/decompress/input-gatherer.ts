import type { ByteStream } from '../../base/bytes.ts';

/** Length of each of the two buffers in bytes. */
const LENGTH = 512 * 1024;
const nothing = Buffer.alloc(0);

/** Gathers input in one buffer while a decoder works on another. */
export class InputGatherer {
  #gathering: Buffer = Buffer.from(new ArrayBuffer(LENGTH));
  #gathered = 0;
  /** The buffer that the decoder has. */
  #given: Buffer = Buffer.from(new ArrayBuffer(LENGTH));
  #pending: Buffer = nothing;
  #hasEnded = false;
  #isClosed = false;
  #arrived = (): void => {};
  #taken = (): void => {};

  /** Gathers until the input ends, or nobody wants more of it. Throws what the input throws. */
  async gather(input: ByteStream): Promise<void> {
    for await (const chunk of input) {
      for (let at = 0; at < chunk.length && !this.#isClosed;) {
        if (this.#gathered === LENGTH) {
          await new Promise<void>((resolve) => (this.#taken = resolve));
          continue;
        }
        const copied = chunk.copy(this.#gathering, this.#gathered, at);
        this.#gathered += copied;
        at += copied;
        this.#arrived();
      }
      if (this.#isClosed) return;
    }
    this.#hasEnded = true;
    this.#arrived();
  }

  /** Whether the decoder need not wait: there is input, or its end. */
  get isAvailable(): boolean {
    return this.#pending.length > 0 || this.#gathered > 0 || this.#hasEnded || this.#isClosed;
  }

  /** Waits until input is available, or nobody wants more. */
  async arrives(): Promise<void> {
    while (!this.isAvailable) await new Promise<void>((resolve) => (this.#arrived = resolve));
  }

  /** Returns input that stays as it is until all of it has been consumed, and whether nothing follows it. */
  next(): { pending: Buffer; ended: boolean } {
    if (this.#pending.length === 0 && this.#gathered > 0) {
      this.#pending = this.#gathering.subarray(0, this.#gathered);
      [this.#gathering, this.#given] = [this.#given, this.#gathering];
      this.#gathered = 0;
      this.#taken();
    }
    return { pending: this.#pending, ended: this.#hasEnded && this.#gathered === 0 };
  }

  consume(bytes: number): void {
    this.#pending = this.#pending.subarray(bytes);
  }

  close(): void {
    this.#isClosed = true;
    this.#arrived();
    this.#taken();
  }
}
