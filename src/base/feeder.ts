import type { Writable } from 'node:stream';
import type { ByteStream } from './bytes.ts';

/** Feeds a stream of lent chunks to a Node stream, one chunk at a time. */
export class Feeder {
  readonly #output: Writable;
  #over = false;
  #abandoned = false;
  #proceed: (() => void) | undefined;

  constructor(output: Writable) {
    this.#output = output;
    const finish = (): void => {
      this.#over = true;
      this.#proceed?.();
    };
    // The reader of the output finds the reason.
    output.on('error', finish);
    output.once('end', finish);
    output.once('close', finish);
  }

  /**
   * Reads the input to its end, even where the consumer needs less, because a checksum covers all of the input.
   * Rejects with the input's failure.
   */
  async feed(input: ByteStream): Promise<void> {
    for await (const chunk of input) {
      if (this.#abandoned) return;
      if (this.#over) continue;
      await this.#write(chunk);
    }
    this.#output.end();
  }

  /** Stops writing, because the output is not needed any more. */
  abandon(): void {
    this.#abandoned = true;
    this.#proceed?.();
  }

  /** Waits until a chunk has been used up, because its memory is lent only until the next chunk is requested. */
  #write(chunk: Buffer): Promise<void> {
    return new Promise((resolve) => {
      this.#proceed = resolve;
      this.#output.write(chunk, () => {
        resolve();
      });
    });
  }
}
