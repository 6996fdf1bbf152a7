/**
 * A conversation with a peer: yields the buffers that are to be filled with what it sends, in their order. What comes
 * of it is done between them, so that bytes are received where they belong.
 */
export type Conversation = Generator<Buffer, void, void>;

/** Leads a conversation by what is received. */
export class Filling {
  readonly #conversation: Conversation;
  #buffer: Buffer = Buffer.alloc(0);
  #filled = 0;
  #ended = false;

  /** Begins the conversation. */
  constructor(conversation: Conversation) {
    this.#conversation = conversation;
    this.#advance();
  }

  /** Where the next bytes belong; of no length where the conversation has ended. */
  get wanted(): Buffer {
    return this.#buffer.subarray(this.#filled);
  }

  /** Tells that so many bytes of what was wanted have been received. */
  received(bytes: number): void {
    this.#filled += bytes;
    if (this.#filled === this.#buffer.length) this.#advance();
  }

  #advance(): void {
    do {
      const { done, value } = this.#ended ? { done: true } : this.#conversation.next();
      this.#ended = done === true;
      this.#buffer = value ?? Buffer.alloc(0);
      this.#filled = 0;
    } while (!this.#ended && this.#buffer.length === 0);
  }
}
