import { setTimeout as sleep } from 'node:timers/promises';
import { TransferError } from '../../base/errors.ts';
import { formatDuration } from '../../base/format-duration.ts';
import type { Progress } from '../../base/progress.ts';
import { type TransferDocument, transferDocument } from './documents.ts';
import type { Engine } from './engine.ts';
import { EngineRefusal } from './engine-failures.ts';
import type { OpenTransfers } from './open-transfers.ts';
import { isTransferring } from './transfer-phases.ts';
import type { TransferredImage } from './transferred-image.ts';

/** Seconds without a read, or an extension, after which the engine ends a transfer. */
const INACTIVITY_TIMEOUT_SECONDS = 60;
const FIRST_LOOK_MILLISECONDS = 20;
const LONGEST_LOOK_MILLISECONDS = 2_000;
/** The engine prepares the volumes on a host, which takes seconds, or minutes where storage is slow. */
const PREPARATION_TIMEOUT_MILLISECONDS = 600_000;

export interface TransferContext {
  engine: Engine;
  openTransfers: OpenTransfers;
  progress: Progress;
  signal: AbortSignal | undefined;
}

/** An image transfer of the engine, which locks the disk until it is ended. */
export class ImageTransfer {
  readonly image: TransferredImage;
  readonly #context: TransferContext;
  readonly #id: string;

  private constructor(image: TransferredImage, id: string, context: TransferContext) {
    this.image = image;
    this.#id = id;
    this.#context = context;
  }

  /**
   * Asks for a transfer, once. Where it fails afterwards, the transfer is ended.
   *
   * @returns the transfer, and what the engine says of it once it can be read from
   * @throws TransferError DiskLocked where something else has the disk
   */
  static async begin(
    image: TransferredImage,
    context: TransferContext,
  ): Promise<{ transfer: ImageTransfer; document: TransferDocument }> {
    const { openTransfers, progress } = context;
    const { disk } = image;
    const { id, isWhole } = await ask(image, context);
    let transfer = new ImageTransfer(isWhole ? { ...image, isDelta: false } : image, id, context);
    try {
      await openTransfers.save(id);
      progress.note('transfer begun', { transfer: id, disk });
      const document = await transfer.#begun();
      // An engine that does not know the request transfers the whole snapshot instead.
      if (transfer.image.isDelta && document.shallow !== true) {
        transfer = new ImageTransfer({ ...image, isDelta: false }, id, context);
      }
      if (image.isDelta && !transfer.image.isDelta) progress.note('whole snapshot', { disk, before: 'oVirt 4.4.9' });
      return { transfer, document };
    } catch (error) {
      await transfer.end('cancel');
      throw error;
    }
  }

  /** @throws TransferError where the transfer has ended, or the engine does not answer */
  async isTransferring(): Promise<boolean> {
    const { phase } = await this.#look();
    return isTransferring(phase, this.image.disk, this.#context.engine.location.host);
  }

  /** Has the engine wait for another inactivity timeout. */
  async extend(): Promise<void> {
    await this.#context.engine.act(`${this.#path}/extend`, `the transfer of disk ${this.image.disk}`);
  }

  /** Ends the transfer. A failure is only noted, because the engine ends it after the inactivity timeout as well. */
  async end(action: 'finalize' | 'cancel'): Promise<void> {
    await endTransfer(this.#id, action, this.#context);
  }

  get #path(): string {
    return `/imagetransfers/${this.#id}`;
  }

  #look(): Promise<TransferDocument> {
    return this.#context.engine.get(this.#path, transferDocument, `the transfer of disk ${this.image.disk}`);
  }

  async #begun(): Promise<TransferDocument> {
    const { engine, progress, signal } = this.#context;
    const { disk } = this.image;
    const started = performance.now();
    let delay = FIRST_LOOK_MILLISECONDS;
    let lastPhase: string | undefined;
    for (;;) {
      signal?.throwIfAborted();
      const document = await this.#look();
      const { phase } = document;
      if (isTransferring(phase, disk, engine.location.host)) return document;
      if (phase !== lastPhase) progress.note('waiting', { for: `the transfer, which the engine says is ${phase}` });
      lastPhase = phase;
      const waited = performance.now() - started;
      if (waited > PREPARATION_TIMEOUT_MILLISECONDS) throw neverBegins(disk, engine.location.host, phase, waited);
      await sleep(delay, undefined, { signal });
      delay = Math.min(delay * 1.5, LONGEST_LOOK_MILLISECONDS);
    }
  }
}

/**
 * Asks the engine for a transfer.
 *
 * @returns whether it refuses to transfer a snapshot without those before it, and so transfers the whole of it
 */
async function ask(image: TransferredImage, { engine }: TransferContext): Promise<{ id: string; isWhole: boolean }> {
  const { disk, snapshot, isDelta } = image;
  const asked = {
    direction: 'download',
    format: 'raw',
    ...(snapshot === undefined ? { disk: { id: disk } } : { snapshot: { id: snapshot } }),
    inactivity_timeout: INACTIVITY_TIMEOUT_SECONDS,
  };
  const begin = (more: object) =>
    engine.post('/imagetransfers', { ...asked, ...more }, transferDocument, `a transfer of disk ${disk}`);
  if (!isDelta) return { ...(await begin({})), isWhole: false };
  try {
    return { ...(await begin({ shallow: true })), isWhole: false };
  } catch (error) {
    if (!(error instanceof EngineRefusal) || error.status !== 400) throw error;
    return { ...(await begin({})), isWhole: true };
  }
}

/**
 * Ends a transfer, and forgets it where that has succeeded, or it had ended already. A failure is only noted.
 *
 * @param id of a transfer of this process, or of one that was killed
 */
export async function endTransfer(
  id: string,
  action: 'finalize' | 'cancel',
  { engine, openTransfers, progress }: TransferContext,
): Promise<void> {
  try {
    await engine.act(`/imagetransfers/${id}/${action}`, `the end of transfer ${id}`);
    progress.note('transfer ended', { transfer: id, action });
  } catch (error) {
    // 404 and 409: it has ended, or is ending.
    if (!(error instanceof EngineRefusal) || ![404, 409].includes(error.status)) {
      const failure = error instanceof Error ? error.message : String(error);
      progress.note('transfer not ended', { transfer: id, failure });
      return;
    }
  }
  await openTransfers.remove();
}

function neverBegins(disk: string, host: string, phase: string, milliseconds: number): TransferError {
  return new TransferError(
    'SourceStalled',
    `the engine ${host} has not begun the transfer of disk ${disk} after ${formatDuration(milliseconds / 1000)}, and says ` +
      `that it is ${phase}: see its events, and whether the host with the storage is up`,
  );
}
