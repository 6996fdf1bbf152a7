import type { OnReadOpts, Socket } from 'node:net';

/** Each of the two parts of memory that bytes are received into by turns. */
const PART = 1024 * 1024;
/** Where a part counts as full. What is behind is for what TLS has decrypted already when a socket is paused. */
const FULL = PART - 128 * 1024;

/** Nothing has arrived for too long. */
export class Stalled extends Error {
  override readonly name = 'Stalled';
  readonly code = 'STALLED';
}

interface Part {
  memory: Buffer;
  /** What before this offset has been taken. */
  taken: number;
  filled: number;
}

const emptyPart = (): Part => ({ memory: Buffer.allocUnsafeSlow(PART), taken: 0, filled: 0 });
const nothing = Buffer.alloc(0);

/**
 * What a socket receives, in memory that is used again: of a whole disk, new memory for each read would cost more than
 * the receiving. While one part of it is lent the other is filled; while both are in use the socket is paused.
 */
export class ReceivedBytes {
  /** Has to be among the options that the socket is made with. */
  readonly onread: OnReadOpts = { buffer: () => this.#room(), callback: (length) => this.#received(length) };
  #filling = emptyPart();
  /** What was filled before, until all of it has been taken and given back. */
  #older = emptyPart();
  #socket: Socket | undefined;
  #isPaused = false;
  #ended = false;
  #failure: Error | undefined;
  #changed = (): void => {};

  /** @param socket that was made with {@link onread} */
  attach(socket: Socket): void {
    this.#socket = socket;
    const end = (): void => {
      this.#ended = true;
      this.#changed();
    };
    socket.on('end', end);
    socket.on('close', end);
    socket.on('error', (error) => {
      this.#failure ??= error;
      this.#changed();
    });
  }

  /** Whether all that has arrived was taken. */
  get isEmpty(): boolean {
    return this.#next === undefined;
  }

  /**
   * The next bytes, lent until the next call; empty at the end. Waits until there are any.
   *
   * @param most how many are wanted at most
   * @param timeout in milliseconds
   * @throws Stalled, or what the socket fails with
   */
  async take(most: number, timeout: number): Promise<Buffer> {
    this.#giveBack();
    for (;;) {
      const part = this.#next;
      if (part !== undefined) {
        const { memory, taken, filled } = part;
        part.taken = Math.min(filled, taken + most);
        return memory.subarray(taken, part.taken);
      }
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#ended) return nothing;
      await this.#change(timeout);
    }
  }

  /** Puts back the end of what was taken last. */
  putBack(length: number): void {
    const last = this.#older.taken > 0 ? this.#older : this.#filling;
    last.taken -= length;
  }

  /** The part that the next bytes are in. */
  get #next(): Part | undefined {
    return [this.#older, this.#filling].find(({ taken, filled }) => taken < filled);
  }

  #giveBack(): void {
    const { taken, filled } = this.#older;
    if (taken < filled) return;
    this.#older.taken = 0;
    this.#older.filled = 0;
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#socket?.resume();
  }

  get #isFull(): boolean {
    return this.#filling.filled >= FULL;
  }

  /** Asked for after each read, so that a socket that pauses has its room beforehand. */
  #room(): Buffer {
    if (this.#isFull && this.#older.filled === 0) [this.#filling, this.#older] = [this.#older, this.#filling];
    const { memory, filled } = this.#filling;
    return memory.subarray(filled, this.#isFull ? PART : FULL);
  }

  /** @returns whether to go on reading */
  #received(length: number): boolean {
    this.#filling.filled += length;
    this.#isPaused = this.#isFull && this.#older.filled > 0;
    this.#changed();
    return !this.#isPaused;
  }

  #change(timeout: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Stalled(`nothing has arrived for ${timeout} ms`));
      }, timeout);
      this.#changed = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
