import { Duplex } from 'node:stream';

export interface WireOptions {
  send(bytes: Buffer, sent: (error?: Error | null) => void): void;
}

/** The connection that `node:http` sees: it gets only as much of what the real one receives as it is meant to parse. */
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
    // Copied, because the bytes are lent.
    if (!this.push(Buffer.from(bytes))) await wanted;
  }

  override _write(chunk: Buffer, _encoding: string, sent: (error?: Error | null) => void): void {
    this.#options.send(chunk, sent);
  }

  override _read(): void {
    this.#wanted();
  }
}
