import { Duplex } from 'node:stream';

export interface WireOptions {
  send(bytes: Buffer, sent: (error?: Error | null) => void): void;
}

/** What `node:http` takes for a connection: it is given as much of what the real one brings as it is to see. */
export class Wire extends Duplex {
  readonly #options: WireOptions;
  #wanted = (): void => {};

  constructor(options: WireOptions) {
    super();
    this.#options = options;
    this.once('close', () => {
      this.#wanted();
    });
  }

  /** Resolves when there is room for more. */
  async give(bytes: Buffer): Promise<void> {
    const wanted = new Promise<void>((resolve) => {
      this.#wanted = resolve;
    });
    // Lent bytes are not kept.
    if (!this.push(Buffer.from(bytes))) await wanted;
  }

  override _write(chunk: Buffer, _encoding: string, sent: (error?: Error | null) => void): void {
    this.#options.send(chunk, sent);
  }

  override _read(): void {
    this.#wanted();
  }
}
