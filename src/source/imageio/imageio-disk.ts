import type { DiskRange, DiskSource } from '../../base/disk-source.ts';
import { asTransferError } from '../../base/errors.ts';
import type { PatienceOptions } from '../../base/patience.ts';
import type { Progress } from '../../base/progress.ts';
import type { HttpClient } from '../http/client.ts';
import type { Engine } from './engine.ts';
import { IdleExtension } from './idle-extension.ts';
import { Segments } from './segments.ts';
import type { TransferSession } from './transfer-session.ts';

/** Readers at the same time, where the daemon does not say how many it serves. */
const MOST_READERS = 4;
/** Connections at the same time: more of them carry more where the daemon is far away. */
const MOST_CONNECTIONS = 8;
/** In bytes. Longer reads gain nothing, because several of them are of one request. */
const LARGEST_READ = 1024 * 1024;

export interface ImageioDiskOptions {
  engine: Engine;
  http: HttpClient;
  session: TransferSession;
  disk: string;
  /** The snapshot that the disk is read of, where that is said. */
  snapshot: string | undefined;
  progress: Progress;
  patience: PatienceOptions;
  /** After how many milliseconds without a read the transfer is extended; by default half of what ends it. */
  extendAfter?: number | undefined;
  /** Ends reads in progress, as the signal does, which it aborts. */
  closing: AbortController;
  signal: AbortSignal;
}

/** A disk of oVirt, which an ovirt-imageio daemon serves by a transfer of the engine. */
export class ImageioDisk implements DiskSource {
  readonly location: string;
  readonly version: string;
  readonly snapshotNames: readonly string[] | undefined;
  readonly size: number;
  readonly concurrency: number;
  readonly largestRead = LARGEST_READ;
  readonly #options: ImageioDiskOptions;
  readonly #extension: IdleExtension;
  readonly #segments: Segments;

  constructor(options: ImageioDiskOptions) {
    const { engine, disk, snapshot, session, progress, patience, extendAfter, signal } = options;
    const { transfer, extents, mostReaders } = session.current;
    this.location = engine.location.describe(disk);
    this.version = transfer.image.version;
    this.snapshotNames = snapshot === undefined ? undefined : [snapshot];
    this.size = extents.size;
    this.concurrency = Math.min(mostReaders ?? MOST_READERS, MOST_CONNECTIONS);
    this.#options = options;
    const extend = async (): Promise<void> => {
      const { transfer, daemon } = session.current;
      // An engine goes by the one or by the other: by when it was told last, or by what the daemon tells of the ticket.
      await Promise.all([transfer.extend(), daemon.touch()]);
    };
    const extension = new IdleExtension(extend, progress, extendAfter);
    this.#extension = extension;
    const onRead = (): void => {
      extension.postpone();
    };
    this.#segments = new Segments({ session, progress, patience, signal, onRead });
  }

  get runLength(): number {
    return this.#segments.length;
  }

  async *ranges(from: number): AsyncGenerator<DiskRange, void, void> {
    yield* this.#options.session.current.extents.from(from);
  }

  read(offset: number, into: Buffer, runEnd: number): Promise<void> {
    return this.#segments.read(offset, into, runEnd);
  }

  async close(outcome: 'complete' | 'incomplete'): Promise<void> {
    const { engine, http, session, progress, closing } = this.#options;
    this.#extension.stop();
    closing.abort();
    this.#segments.abandon();
    await http.close();
    await session.end(outcome === 'complete' ? 'finalize' : 'cancel');
    await engine.leave().catch((error: unknown) => {
      progress.note('not logged out', { failure: asTransferError(error).message });
    });
  }
}
