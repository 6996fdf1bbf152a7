import { asTransferError, TransferError } from '../../base/errors.ts';
import { Patience } from '../../base/patience.ts';
import type { Daemon, DaemonBody } from './daemon.ts';
import type { ReadContext } from './read-context.ts';
import { unreachable } from './transfer-session.ts';

/** Bytes after which is told that something has come; small enough for a slow server to be seen at work. */
const SLICE = 256 * 1024;

/** A part of a disk that is requested at once, and read in order over a connection of its own. */
export class Segment {
  readonly start: number;
  readonly end: number;
  readonly #context: ReadContext;
  #position: number;
  #body: DaemonBody | undefined;
  readonly #began = performance.now();
  /** Milliseconds until the daemon answered. */
  #answeredAfter = 0;

  constructor(start: number, end: number, context: ReadContext) {
    this.start = start;
    this.end = end;
    this.#position = start;
    this.#context = context;
  }

  /** Where the next read begins. */
  get position(): number {
    return this.#position;
  }

  /** Whether all of it has been read. */
  get isOver(): boolean {
    return this.#position === this.end;
  }

  /** How much of the time since its request was the wait for an answer, from 0 to 1. */
  get shareOfWaiting(): number {
    return this.#answeredAfter / (performance.now() - this.#began);
  }

  /** Closes its connection, unless all of it has been read. */
  abandon(): void {
    this.#body?.destroy();
    this.#body = undefined;
  }

  /** Reads on from the position. */
  async read(into: Buffer): Promise<void> {
    const { patience: options, progress, signal, onRead } = this.#context;
    const patience = new Patience(options, progress, signal);
    for (let filled = 0; filled < into.length;) {
      const { daemon } = this.#context.session.current;
      try {
        this.#body ??= await this.#request(daemon);
        const length = await this.#body.read(into.subarray(filled, filled + SLICE));
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

  async #request(daemon: Daemon): Promise<DaemonBody> {
    const asked = performance.now();
    const body = await daemon.open(this.#position, this.end);
    this.#answeredAfter = performance.now() - asked;
    return body;
  }

  async #overcome(failure: TransferError, patience: Patience, daemon: Daemon) {
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
