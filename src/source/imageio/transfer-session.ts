import * as z from 'zod';
import { asTransferError, TransferError, type TransferErrorCode } from '../../base/errors.ts';
import { Patience, type PatienceOptions } from '../../base/patience.ts';
import type { HttpClient } from '../http/client.ts';
import type { Confidential } from './confidential.ts';
import { Daemon, type Offer } from './daemon.ts';
import { isIdentifier, type TransferDocument } from './documents.ts';
import { EngineRefusal } from './engine-failures.ts';
import { endTransfer, ImageTransfer, type TransferContext } from './image-transfer.ts';
import { findImage, type Stage } from './transferred-image.ts';

/** Failures to reach a host that the engine's proxy may be able to reach. */
export const unreachable: ReadonlySet<TransferErrorCode> = new Set<TransferErrorCode>([
  'HostNotFound',
  'HostLookupFailed',
  'ConnectionRefused',
  'ConnectionFailed',
  'RedirectRefused',
]);
/** The longest delay between two requests for a transfer of a disk that something else has, in milliseconds. */
const LONGEST_DELAY_MILLISECONDS = 10_000;

export interface TransferSessionOptions extends TransferContext {
  /** For the daemons. */
  http: HttpClient;
  confidential: Confidential;
  disk: string;
  stage: Stage | undefined;
  patience: PatienceOptions;
}

/** A transfer, the daemon that serves it, and what that offers. */
interface Current extends Offer {
  transfer: ImageTransfer;
  daemon: Daemon;
}

/** The transfers of one import: one after another, where a ticket has expired or the engine was restarted. */
export class TransferSession {
  readonly #options: TransferSessionOptions;
  #current: Current;
  #renewal: Promise<void> | undefined;

  private constructor(options: TransferSessionOptions, current: Current) {
    this.#options = options;
    this.#current = current;
  }

  /**
   * Ends a transfer that an earlier process has left open, and begins one.
   *
   * @throws TransferError
   */
  static async begin(options: TransferSessionOptions): Promise<TransferSession> {
    const { engine, openTransfers, progress, signal, disk } = options;
    const longestDelay = Math.min(options.patience.longestDelay, LONGEST_DELAY_MILLISECONDS);
    const patience = new Patience({ ...options.patience, longestDelay }, progress, signal);
    const persist = <Result>(work: () => Promise<Result>) => patience.persist(work, asTransferError);
    progress.enter('connecting');
    await persist(() => engine.get('', z.looseObject({}), 'its API'));
    const leftOpen = await openTransfers.load();
    if (leftOpen !== undefined && isIdentifier(leftOpen)) await endTransfer(leftOpen, 'cancel', options);
    return persist(async () => {
      const image = await findImage(engine, disk, options.stage);
      return new TransferSession(options, await connect(await ImageTransfer.begin(image, options), options));
    });
  }

  get current(): Readonly<Current> {
    return this.#current;
  }

  /**
   * Begins another transfer where one has ended, or its ticket is no longer accepted. Several readers may ask for it.
   *
   * @param failed the daemon that cannot be read from
   * @param isRefused whether it does not accept the ticket; otherwise the transfer is kept where it has not ended
   * @throws TransferError TransferCancelled where somebody has ended it; SourceChanged; and others
   */
  renew(failed: Daemon, isRefused: boolean): Promise<void> {
    if (failed !== this.#current.daemon) return Promise.resolve();
    this.#renewal ??= this.#begun(isRefused).finally(() => {
      this.#renewal = undefined;
    });
    return this.#renewal;
  }

  /** Ends the transfer. */
  async end(action: 'finalize' | 'cancel'): Promise<void> {
    await this.#renewal?.catch(() => {});
    await this.#current.transfer.end(action);
  }

  async #begun(isRefused: boolean): Promise<void> {
    const { transfer, extents } = this.#current;
    const { engine, disk, stage, signal } = this.#options;
    if (await isOpen(transfer)) {
      if (!isRefused) return;
      await transfer.end('cancel');
    }
    signal?.throwIfAborted();
    const image = await findImage(engine, disk, stage);
    if (image.version !== transfer.image.version) throw changed(engine.location.describe(disk));
    const next = await connect(await ImageTransfer.begin(image, this.#options), this.#options);
    const { size } = extents;
    this.#current = next;
    if (next.extents.size !== size) throw changed(engine.location.describe(disk));
  }
}

/** Whether a transfer has to be ended; it throws where somebody else has done so. */
async function isOpen(transfer: ImageTransfer): Promise<boolean> {
  try {
    await transfer.isTransferring();
    return true;
  } catch (error) {
    if (error instanceof EngineRefusal && error.code === 'NotFound') return false;
    if (error instanceof TransferError && error.code === 'TransferEnded') return false;
    throw error;
  }
}

/** Reaches the daemon directly, or through the engine's proxy where its host cannot be reached. */
async function connect(
  { transfer, document }: { transfer: ImageTransfer; document: TransferDocument },
  { http, confidential, engine }: TransferSessionOptions,
): Promise<Current> {
  const [first, second] = [document.transfer_url, document.proxy_url].flatMap((given) => URL.parse(given ?? '') ?? []);
  const reach = async (url: URL): Promise<Current> => {
    const daemon = new Daemon({ http, url, referrer: engine.referrer, confidential });
    return { transfer, daemon, ...(await daemon.offer(transfer.image.isDelta)) };
  };
  try {
    if (first === undefined) {
      throw new TransferError(
        'ProtocolViolation',
        `the engine ${engine.location.host} names no daemon for the transfer`,
      );
    }
    return await reach(first).catch((error: unknown) => {
      if (second === undefined || !(error instanceof TransferError) || !unreachable.has(error.code)) throw error;
      return reach(second);
    });
  } catch (error) {
    await transfer.end('cancel');
    throw error;
  }
}

function changed(location: string): TransferError {
  return new TransferError('SourceChanged', `${location} has changed while it was being read`);
}
