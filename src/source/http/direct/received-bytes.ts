import type { OnReadOpts, Socket } from 'node:net';

/** Size in bytes of each of the two buffers that bytes are alternately received into, by default. */
const PART = 512 * 1024;
/** The end of a buffer that counts as full is for what TLS has already decrypted when a socket is paused. In bytes. */
const RESERVE = 128 * 1024;

/** Nothing has arrived for too long. */
export class Stalled extends Error {
  override readonly name = 'Stalled';
  readonly code = 'STALLED';
}

interface Part {
  memory: Buffer;
  /** The offset before which everything has been taken. */
  taken: number;
  filled: number;
}

const emptyPart = (length: number): Part => ({ memory: Buffer.allocUnsafeSlow(length), taken: 0, filled: 0 });
const nothing = Buffer.alloc(0);

/**
 * What a socket receives, in reused memory: for a whole disk, new memory for each read would cost more than receiving
 * it. While one buffer is lent, the other one is filled; while both are in use, the socket is paused.
 */
export class ReceivedBytes {
  /** Has to be among the options that the socket is created with. */
  readonly onread: OnReadOpts = { buffer: () => this.#room(), callback: (length) => this.#received(length) };
  readonly #length: number;
  #filling: Part;
  /** The buffer that was filled before, until all of it has been taken and given back. */
  #older: Part;
  #socket: Socket | undefined;
  /** Memory of a caller that is filled in place of both buffers. */
  #lent: { memory: Buffer; filled: number } | undefined;
  /** Whether the socket has room in {@link #lent} for its next read. */
  #isRoomLent = false;
  #isPaused = false;
  #ended = false;
  #failure: Error | undefined;
  #changed = (): void => {};

  /** @param length of each of the two buffers in bytes, more than 128 KiB */
  constructor(length = PART) {
    this.#length = length;
    this.#filling = emptyPart(length);
    this.#older = emptyPart(length);
  }

  /** @param socket that was created with {@link onread} */
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

  /** Whether everything that has arrived was taken. */
  get isEmpty(): boolean {
    return this.#next === undefined;
  }

  /**
   * Takes the next bytes, which are lent until the next call; empty at the end. Waits until there are any.
   *
   * @param most the maximum number of bytes
   * @param timeout in milliseconds
   * @throws Stalled, or the error of the socket
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

  /**
   * Receives into the caller's memory, without a copy of what arrives from now on. After a failure the socket has to be
   * destroyed before the memory is used again.
   *
   * @param timeout how long nothing may arrive, in milliseconds
   * @returns how many bytes were received: fewer than there is room for only at the end
   * @throws Stalled, or the error of the socket
   */
  async fill(memory: Buffer, timeout: number): Promise<number> {
    this.#giveBack();
    const lent = { memory, filled: 0 };
    this.#lent = lent;
    try {
      for (;;) {
        this.#moveToLent();
        if (lent.filled === memory.length) break;
        if (this.#failure !== undefined) throw this.#failure;
        if (this.#ended) break;
        await this.#change(timeout, () => lent.filled === memory.length);
      }
    } finally {
      this.#lent = undefined;
    }
    return lent.filled;
  }

  /** Moves what the buffers have to the caller's memory. */
  #moveToLent(): void {
    const lent = this.#lent;
    for (let part = this.#next; lent !== undefined && part !== undefined; part = this.#next) {
      const { memory, taken, filled } = part;
      const moved = memory.copy(lent.memory, lent.filled, taken, filled);
      if (moved === 0) return;
      part.taken += moved;
      lent.filled += moved;
      this.#giveBack();
    }
  }

  /** Puts back the end of what was taken last. */
  putBack(length: number): void {
    const last = this.#older.taken > 0 ? this.#older : this.#filling;
    last.taken -= length;
  }

  /** The buffer that has the next bytes. */
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
    return this.#filling.filled >= this.#length - RESERVE;
  }

  /**
   * Provides room for the next read. It is requested after each read, so that a socket has its room before it is
   * paused.
   */
  #room(): Buffer {
    const lent = this.#lent;
    this.#isRoomLent = lent !== undefined && lent.filled < lent.memory.length && this.#next === undefined;
    if (lent !== undefined && this.#isRoomLent) return lent.memory.subarray(lent.filled);
    if (this.#isFull && this.#older.filled === 0) [this.#filling, this.#older] = [this.#older, this.#filling];
    const { memory, filled } = this.#filling;
    return memory.subarray(filled, this.#isFull ? this.#length : this.#length - RESERVE);
  }

  /** @returns whether to continue reading */
  #received(length: number): boolean {
    if (this.#isRoomLent) {
      if (this.#lent !== undefined) this.#lent.filled += length;
      this.#changed();
      return true;
    }
    this.#filling.filled += length;
    this.#moveToLent();
    this.#isPaused = this.#isFull && this.#older.filled > 0;
    this.#changed();
    return !this.#isPaused;
  }

  /**
   * Resolves when something has changed: bytes have arrived, or the socket has ended.
   *
   * @param isEnough whether the bytes that have arrived are
   */
  #change(timeout: number, isEnough = (): boolean => true): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Stalled(`nothing has arrived for ${timeout} ms`));
      }, timeout);
      this.#changed = () => {
        if (!this.#ended && this.#failure === undefined && !isEnough()) {
          timer.refresh();
          return;
        }
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
