import { setTimeout as sleep } from 'node:timers/promises';
import { asTransferError, TransferError } from '../../base/errors.ts';
import type { Patience } from '../../base/patience.ts';
import type { Progress } from '../../base/progress.ts';
import { NbdClient } from '../nbd/client.ts';
import { NbdDisconnected, NbdError } from '../nbd/nbd-error.ts';
import type { VddkInstallation } from './library.ts';
import { libraryFailure } from './library-failure.ts';
import type { LibraryReport } from './library-report.ts';
import { Nbdkit, type VddkDiskAddress } from './nbdkit.ts';

/** How long a host may take for an answer, in milliseconds. */
const SILENCE_MILLISECONDS = 120_000;
/** How often it is looked whether the server listens, in milliseconds. */
const LOOK_MILLISECONDS = 10;

export interface ServedDiskOptions {
  readonly address: VddkDiskAddress;
  readonly installation: VddkInstallation;
  /** The disk for people. */
  readonly location: string;
  readonly patience: Patience;
  readonly progress: Progress;
  readonly signal: AbortSignal | undefined;
}

interface Serving {
  readonly process: Nbdkit;
  readonly client: NbdClient;
}

/**
 * A disk that a process of its own serves. When that ends, or fails to read, another takes its place; what was asked is
 * then asked again.
 */
export class ServedDisk {
  readonly #options: ServedDiskOptions;
  #serving: Promise<Serving> | undefined;
  /** The waiting after a failure, and what comes of it. */
  #recovery: Promise<void> | undefined;
  #closed = false;
  #report: LibraryReport = {};

  constructor(options: ServedDiskOptions) {
    this.#options = options;
    // What waits for an answer would not notice.
    options.signal?.addEventListener('abort', () => void this.close(), { once: true });
  }

  /** What the library has told about itself. */
  get report(): LibraryReport {
    return this.#report;
  }

  /**
   * Does something with the client, again where it fails in a way that may pass.
   *
   * @throws TransferError
   */
  async use<Result>(work: (client: NbdClient) => Promise<Result>): Promise<Result> {
    for (;;) {
      await this.#recovery;
      this.#options.signal?.throwIfAborted();
      if (this.#closed) throw new TransferError('Interrupted', `${this.#options.location} has been closed`);
      const serving = (this.#serving ??= this.#start());
      try {
        return await work((await serving).client);
      } catch (error) {
        // The first to notice sees to it, for all.
        if (this.#serving === serving) this.#recovery = this.#recover(serving, error);
      }
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#serving?.then(stop, () => undefined);
  }

  async #start(): Promise<Serving> {
    const { address, installation, progress, signal } = this.#options;
    signal?.throwIfAborted();
    const process = await Nbdkit.start(address, installation);
    try {
      const client = await connect(process);
      this.#report = await process.report();
      progress.note('opened the disk', { ...this.#report });
      return { process, client };
    } catch (error) {
      const failure = await this.#explain(process, error);
      await process.end();
      throw failure;
    }
  }

  async #recover(broken: Promise<Serving>, error: unknown): Promise<void> {
    this.#serving = undefined;
    const serving = await broken.catch(() => undefined);
    const failure = serving === undefined ? error : await this.#explain(serving.process, error);
    if (serving !== undefined) await stop(serving);
    await this.#options.patience.afterFailure(asTransferError(failure));
  }

  async #explain(process: Nbdkit, error: unknown): Promise<unknown> {
    const { location, signal } = this.#options;
    signal?.throwIfAborted();
    if (error instanceof TransferError) return error;
    const ended = error instanceof NbdDisconnected ? await process.explainEnd() : undefined;
    const told = await process.failure();
    if (told !== undefined) return libraryFailure(told, location);
    if (ended !== undefined) return ended;
    const text = error instanceof Error ? error.message : String(error);
    const code =
      error instanceof NbdDisconnected
        ? 'SourceStalled'
        : error instanceof NbdError
          ? 'ServerUnavailable'
          : 'ProtocolViolation';
    return new TransferError(code, `${location} cannot be read: ${text}`, { cause: error });
  }
}

async function stop({ process, client }: Serving): Promise<void> {
  await client.close();
  await process.end();
}

/** Connects as soon as the process listens. */
async function connect(process: Nbdkit): Promise<NbdClient> {
  for (;;) {
    try {
      return await NbdClient.open({ socket: process.socket, silence: SILENCE_MILLISECONDS });
    } catch (error) {
      if (!isNotListening(error) || !process.isRunning) throw error;
      await sleep(LOOK_MILLISECONDS);
    }
  }
}

function isNotListening(error: unknown): boolean {
  const { cause } = error as Error;
  return cause instanceof Error && 'code' in cause && (cause.code === 'ENOENT' || cause.code === 'ECONNREFUSED');
}
