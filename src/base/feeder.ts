import type { Writable } from 'node:stream';
import type { ByteStream } from './bytes.ts';

/** Feeds a stream of lent chunks to a Node stream, one at a time. */
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
    // Why it ended is found out where its output is read.
    output.on('error', finish);
    output.once('end', finish);
    output.once('close', finish);
  }

  /**
   * Reads the input to its end, even where the consumer has enough before: its checksum counts all of it.
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

  /** Nobody wants the output any more. */
  abandon(): void {
    this.#abandoned = true;
    this.#proceed?.();
  }

  /** A chunk's memory is ours only until the next is asked for, so each is used up first. */
  #write(chunk: Buffer): Promise<void> {
    return new Promise((resolve) => {
      this.#proceed = resolve;
      this.#output.write(chunk, () => {
        resolve();
      });
    });
  }
}
