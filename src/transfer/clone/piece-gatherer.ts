/** Bytes. Far fewer system calls, ciphers and hashes to start than with the 16 KiB that TLS or the 64 KiB that a pipe gives. */
export const PIECE_LENGTH = 512 * 1024;

/**
 * Gathers small buffers into large pieces, in two buffers of its own: one fills while the other is with its consumer.
 */
export class PieceGatherer {
  readonly #take: (piece: Buffer) => Promise<void>;
  #filling = Buffer.allocUnsafeSlow(PIECE_LENGTH);
  #other = Buffer.allocUnsafeSlow(PIECE_LENGTH);
  #length = 0;
  #taking: Promise<void> = Promise.resolve();

  /** @param take consumes a piece, which is valid until its promise settles */
  constructor(take: (piece: Buffer) => Promise<void>) {
    this.#take = take;
  }

  /**
   * Copies a buffer, which may be reused when this returns.
   *
   * @throws what the consumer threw
   */
  async add(buffer: Buffer): Promise<void> {
    let position = 0;
    while (position < buffer.length) {
      const copied = buffer.copy(this.#filling, this.#length, position);
      position += copied;
      this.#length += copied;
      if (this.#length === PIECE_LENGTH) await this.#pass();
    }
  }

  /** Waits until the consumer has taken everything. */
  async flush(): Promise<void> {
    await this.#pass();
    await this.#taking;
  }

  async #pass(): Promise<void> {
    await this.#taking;
    if (this.#length === 0) return;
    const piece = this.#filling.subarray(0, this.#length);
    this.#taking = this.#take(piece);
    // Thrown to whoever comes next.
    this.#taking.catch(() => undefined);
    [this.#filling, this.#other] = [this.#other, this.#filling];
    this.#length = 0;
  }
}
