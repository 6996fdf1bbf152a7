import { connect, type Socket } from 'node:net';
import { Command, REQUEST_MAGIC } from './constants.ts';
import { type Conversation, Filling } from './filling.ts';
import { handshake, type NbdExport } from './handshake.ts';
import { NbdDisconnected, NbdViolation } from './nbd-error.ts';
import { type BlockStatus, type Pending, replies } from './replies.ts';

/** How long the server may take to close the export. */
const GOODBYE_MILLISECONDS = 5_000;

export interface NbdClientOptions {
  /** Path of the server's Unix socket. */
  socket: string;
  /** How long the server may send nothing while something is asked, in milliseconds. */
  silence: number;
}

/**
 * A client of the NBD protocol that has any number of requests in flight. What is read is received in the buffers of
 * those who ask.
 */
export class NbdClient {
  readonly #socket: Socket;
  readonly #pending = new Map<bigint, Pending>();
  readonly #opened = Promise.withResolvers<NbdExport>();
  #export: NbdExport | undefined;
  #cookie = 0n;
  #failure: Error | undefined;

  private constructor({ socket, silence }: NbdClientOptions) {
    const filling = new Filling(this.#converse());
    const callback = (bytes: number): boolean => {
      try {
        filling.received(bytes);
        return true;
      } catch (error) {
        this.#end(error as Error);
        return false;
      }
    };
    this.#socket = connect({ path: socket, onread: { buffer: () => filling.wanted, callback } });
    this.#socket.setTimeout(silence, () => {
      if (this.#export !== undefined && this.#pending.size === 0) return;
      this.#end(new NbdDisconnected(`nothing was received for ${silence / 1000} s`));
    });
    this.#socket.on('error', (error) => this.#end(new NbdDisconnected(error.message, { cause: error })));
    this.#socket.on('close', () => this.#end(new NbdDisconnected('the server has ended the connection')));
  }

  /**
   * Connects, and opens the export without a name.
   *
   * @throws NbdDisconnected; NbdError where the server refuses; NbdViolation
   */
  static async open(options: NbdClientOptions): Promise<NbdClient> {
    const client = new NbdClient(options);
    await client.#opened.promise;
    return client;
  }

  /** Size of the export in bytes. */
  get size(): number {
    return this.#export?.size ?? 0;
  }

  /** Whether the server tells what is allocated. */
  get tellsAllocation(): boolean {
    return this.#export?.allocationContext !== undefined;
  }

  /**
   * Fills the buffer with what is at the offset.
   *
   * @throws NbdDisconnected; NbdError; NbdViolation
   */
  async read(offset: number, into: Buffer): Promise<void> {
    const what = `reading ${into.length} bytes at ${offset}`;
    await this.#ask(Command.read, offset, into.length, { what, read: { offset, into } });
  }

  /**
   * Tells what is allocated from an offset on, of at most `length` bytes (32 bits), of at least some.
   *
   * @throws NbdDisconnected; NbdError; NbdViolation
   */
  async blockStatus(offset: number, length: number): Promise<BlockStatus[]> {
    const statuses: BlockStatus[] = [];
    await this.#ask(Command.blockStatus, offset, length, { what: `asking what is allocated at ${offset}`, statuses });
    return statuses;
  }

  /**
   * Says goodbye to the server, and waits until it has closed the export. What is still asked fails, unless it is
   * answered before: until the connection is closed, answers may be received in the buffers of those who ask.
   */
  async close(): Promise<void> {
    if (this.#failure === undefined) {
      this.#failure = new NbdDisconnected('the connection has been closed');
      this.#socket.end(request(Command.disconnect, 0n, 0, 0));
    }
    const late = setTimeout(() => this.#socket.destroy(), GOODBYE_MILLISECONDS);
    if (!this.#socket.closed) await new Promise((resolve) => this.#socket.once('close', resolve));
    clearTimeout(late);
  }

  *#converse(): Conversation {
    this.#export = yield* handshake((bytes) => void this.#socket.write(bytes));
    this.#opened.resolve(this.#export);
    yield* replies(this.#pending);
  }

  #ask(
    command: number,
    offset: number,
    length: number,
    more: Pick<Pending, 'what' | 'read' | 'statuses'>,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) {
        reject(this.#failure);
        return;
      }
      const done = (failure: Error | undefined): void => {
        if (failure === undefined) resolve();
        else reject(failure);
      };
      this.#cookie += 1n;
      this.#pending.set(this.#cookie, { ...more, received: 0, failure: undefined, done });
      this.#socket.write(request(command, this.#cookie, offset, length));
    });
  }

  #end(failure: Error): void {
    this.#failure ??= failure instanceof RangeError ? new NbdViolation(failure.message, { cause: failure }) : failure;
    // Nothing is received after this, so that those who ask may use their buffers again.
    this.#socket.destroy();
    this.#fail(this.#failure);
  }

  #fail(failure: Error): void {
    this.#opened.reject(failure);
    this.#opened.promise.catch(() => undefined);
    for (const { done } of this.#pending.values()) done(failure);
    this.#pending.clear();
  }
}

function request(command: number, cookie: bigint, offset: number, length: number): Buffer {
  const bytes = Buffer.alloc(28);
  bytes.writeUInt32BE(REQUEST_MAGIC, 0);
  bytes.writeUInt16BE(command, 6);
  bytes.writeBigUInt64BE(cookie, 8);
  bytes.writeBigUInt64BE(BigInt(offset), 16);
  bytes.writeUInt32BE(length, 24);
  return bytes;
}
