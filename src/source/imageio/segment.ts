import { asTransferError, TransferError } from '../../base/errors.ts';
import { Patience } from '../../base/patience.ts';
import type { DaemonBody } from './daemon.ts';
import type { ReadContext } from './read-context.ts';
import { unreachable } from './transfer-session.ts';

/** Bytes after which is told that something has come; small enough for a slow server to be seen at work. */
const SLICE = 256 * 1024;

/**
 * A part of a disk that is requested at once, and read in order. What has come of it waits in the buffers of its
 * connection until it is read.
 */
export class Segment {
  readonly start: number;
  readonly end: number;
  readonly #context: ReadContext;
  #position: number;
  #body: Promise<DaemonBody> | undefined;
  /** The end of the last read. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(start: number, end: number, context: ReadContext) {
    this.start = start;
    this.end = end;
    this.#position = start;
    this.#context = context;
  }

  /** Whether all of it has been read. */
  get isOver(): boolean {
    return this.#position === this.end;
  }

  /** Requests what has not been read, where that has not been done. */
  request(): Promise<DaemonBody> {
    if (this.#body === undefined) {
      const body = this.#context.session.current.daemon.open(this.#position, this.end);
      // Its failure is that of the read that comes to it.
      body.catch(() => {});
      this.#body = body;
    }
    return this.#body;
  }

  /** Reads a part, after those that were asked for before. */
  read(offset: number, into: Buffer): Promise<void> {
    const read = this.#turn.then(() => this.#read(offset, into));
    this.#turn = read.catch(() => {});
    return read;
  }

  /** Closes its connection, unless all of it has been read. */
  abandon(): void {
    const body = this.#body;
    this.#body = undefined;
    void body?.then(
      (opened) => {
        opened.destroy();
      },
      () => {},
    );
  }

  async #read(offset: number, into: Buffer): Promise<void> {
    const { patience: options, progress, signal, onRead } = this.#context;
    const patience = new Patience(options, progress, signal);
    if (offset !== this.#position) {
      this.abandon();
      this.#position = offset;
    }
    for (let filled = 0; filled < into.length;) {
      const { daemon } = this.#context.session.current;
      try {
        const body = await this.request();
        const length = await body.read(into.subarray(filled, filled + SLICE));
        if (length === 0) throw endedEarly(daemon.host);
        filled += length;
        this.#position += length;
        patience.received(length);
        onRead();
      } catch (error) {
        this.abandon();
        const failure = asTransferError(error);
        await patience.afterFailure(failure);
        await this.#overcome(failure, patience, daemon);
      }
    }
    patience.renew();
  }

  async #overcome(failure: TransferError, patience: Patience, daemon: Parameters<ReadContext['session']['renew']>[0]) {
    const { session } = this.#context;
    if (failure.code === 'TicketExpired') {
      await patience.persist(() => session.renew(daemon, true), asTransferError);
    } else if (unreachable.has(failure.code)) {
      await session.renew(daemon, false).catch(throwIfPermanent);
    }
  }
}

function endedEarly(host: string): TransferError {
  return new TransferError('ConnectionLost', `the connection to ${host} ended within a part of the disk`);
}

function throwIfPermanent(error: unknown): void {
  if (asTransferError(error).permanent) throw error;
}
