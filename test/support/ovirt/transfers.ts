import { randomUUID } from 'node:crypto';
import type { ImageDaemon } from './image-daemon.ts';
import { exportRaw, type RawExport } from './raw-export.ts';

/** A disk of the simulated engine: a chain of qcow2 files, one for each snapshot; the last is the active layer. */
export interface SimulatedDisk {
  readonly id: string;
  readonly layers: readonly { readonly id: string; readonly file: string }[];
}

/** A request for a transfer. */
export interface TransferRequest {
  disk: SimulatedDisk;
  /** The snapshot; the disk as it is unless given. */
  snapshot?: string | undefined;
  isShallow: boolean;
  /** Seconds. */
  inactivityTimeout: number;
}

/** A transfer of the simulated engine. */
export interface SimulatedTransfer extends TransferRequest {
  readonly id: string;
  readonly ticket: string;
  phase: string;
  /** How often it was asked for while it was initializing. */
  looks: number;
  readonly served: RawExport;
}

/** Seconds, as the engine gives them. */
const TICKET_TIMEOUT_SECONDS = 300;
const WATCH_MILLISECONDS = 500;

/** The transfers of the simulated engine, with what serves them. */
export class Transfers {
  readonly all: SimulatedTransfer[] = [];
  /** Whether what serves a transfer goes on to its own end, so that a benchmark does not count what it took. */
  keepsServing = false;
  readonly #daemon: ImageDaemon;
  readonly #state: string;
  readonly #watch = setInterval(() => void this.#endIdle(), WATCH_MILLISECONDS).unref();

  constructor(daemon: ImageDaemon, state: string) {
    this.#daemon = daemon;
    this.#state = state;
  }

  /** Those that lock their disk. */
  get open(): SimulatedTransfer[] {
    return this.all.filter(({ phase }) => ['initializing', 'transferring'].includes(phase));
  }

  async begin(asked: TransferRequest): Promise<SimulatedTransfer> {
    const { disk, snapshot, isShallow, inactivityTimeout } = asked;
    const layer = snapshot === undefined ? disk.layers.at(-1) : disk.layers.find(({ id }) => id === snapshot);
    if (layer === undefined) throw new Error(`no layer ${snapshot} of ${disk.id}`);
    const served = await exportRaw(this.#state, layer.file, isShallow);
    const transfer = { ...asked, id: randomUUID(), ticket: randomUUID(), phase: 'initializing', looks: 0, served };
    const { url, size } = served;
    await this.#daemon.addTicket({
      ...{ uuid: transfer.ticket, url, size },
      timeout: TICKET_TIMEOUT_SECONDS,
      inactivity_timeout: inactivityTimeout,
    });
    this.all.push(transfer);
    return transfer;
  }

  extend({ ticket }: SimulatedTransfer): Promise<void> {
    return this.#daemon.extend(ticket, TICKET_TIMEOUT_SECONDS);
  }

  async end(transfer: SimulatedTransfer, phase: string): Promise<void> {
    transfer.phase = phase;
    await this.#daemon.removeTicket(transfer.ticket).catch(() => {});
    if (!this.keepsServing) await transfer.served.stop();
  }

  async stop(): Promise<void> {
    clearInterval(this.#watch);
    await Promise.all(this.open.map((transfer) => this.end(transfer, 'cancelled_system')));
    if (this.keepsServing) await Promise.all(this.all.map(({ served }) => served.stop()));
  }

  async #endIdle(): Promise<void> {
    for (const transfer of this.open) {
      const info = await this.#daemon.ticket(transfer.ticket).catch(() => undefined);
      const isIdle = (info?.idle_time ?? 0) > transfer.inactivityTimeout;
      if (isIdle && transfer.phase === 'transferring') await this.end(transfer, 'cancelled_system');
    }
  }
}
