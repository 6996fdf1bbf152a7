import type { DiskRange, DiskSource } from '../../base/disk-source.ts';
import { asTransferError } from '../../base/errors.ts';
import { Patience, type PatienceOptions } from '../../base/patience.ts';
import type { Progress } from '../../base/progress.ts';
import type { HttpClient } from '../http/client.ts';
import type { Engine } from './engine.ts';
import { IdleExtension } from './idle-extension.ts';
import { type TransferSession, unreachable } from './transfer-session.ts';

/** Readers at the same time, where the daemon does not say how many it serves. */
const MOST_READERS = 4;
/** In bytes. */
const LARGEST_READ = 4 * 1024 * 1024;

export interface ImageioDiskOptions {
  engine: Engine;
  http: HttpClient;
  session: TransferSession;
  disk: string;
  progress: Progress;
  patience: PatienceOptions;
  /** Ends reads in progress, as the signal does, which it aborts. */
  closing: AbortController;
  signal: AbortSignal;
}

/** A disk of oVirt, which an ovirt-imageio daemon serves by a transfer of the engine. */
export class ImageioDisk implements DiskSource {
  readonly location: string;
  readonly version: string;
  readonly size: number;
  readonly concurrency: number;
  readonly largestRead = LARGEST_READ;
  readonly #options: ImageioDiskOptions;
  readonly #extension: IdleExtension;

  constructor(options: ImageioDiskOptions) {
    const { engine, disk, session, progress } = options;
    const { transfer, extents, mostReaders } = session.current;
    this.location = engine.location.describe(disk);
    this.version = transfer.image.version;
    this.size = extents.size;
    this.concurrency = Math.min(mostReaders ?? MOST_READERS, MOST_READERS);
    this.#options = options;
    this.#extension = new IdleExtension(() => session.current.transfer.extend(), progress);
  }

  async *ranges(from: number): AsyncGenerator<DiskRange, void, void> {
    yield* this.#options.session.current.extents.from(from);
  }

  async read(offset: number, into: Buffer): Promise<void> {
    const { session, progress, signal } = this.#options;
    const patience = new Patience(this.#options.patience, progress, signal);
    let read = 0;
    while (read < into.length) {
      const { daemon } = session.current;
      try {
        await daemon.read(offset + read, into.subarray(read), (bytes) => {
          read += bytes;
          patience.received(bytes);
          this.#extension.postpone();
        });
      } catch (error) {
        const failure = asTransferError(error);
        await patience.afterFailure(failure);
        if (failure.code === 'TicketExpired') {
          await patience.persist(() => session.renew(daemon, true), asTransferError);
        } else if (unreachable.has(failure.code)) {
          await session.renew(daemon, false).catch(throwIfPermanent);
        }
      }
    }
    patience.renew();
  }

  async close(outcome: 'complete' | 'incomplete'): Promise<void> {
    const { engine, http, session, progress, closing } = this.#options;
    this.#extension.stop();
    closing.abort();
    await http.close();
    await session.end(outcome === 'complete' ? 'finalize' : 'cancel');
    await engine.leave().catch((error: unknown) => {
      progress.note('not logged out', { failure: asTransferError(error).message });
    });
  }
}

function throwIfPermanent(error: unknown): void {
  if (asTransferError(error).permanent) throw error;
}
