import { TransferError } from '../../base/errors.ts';
import type { Progress } from '../../base/progress.ts';
import type { ResumableSink } from '../../sink/resumable-sink.ts';
import type { CheckpointStore } from './copy-checkpoint.ts';
import type { CloneOffer } from './copy-protocol.ts';
import type { CloneReceiver, ReceivedClone } from './copy-receiver.ts';
import { ExtentDecoder } from './extent-stream.ts';

/**
 * Bytes of data between two checkpoints: what has to be sent again at most after a receiver was killed, apart from data
 * in flight.
 */
const CHECKPOINT_EVERY = 64 * 1024 * 1024;
/** Alignment in bytes of the offset at which a disk is resumed, so that its blocks are read and written whole. */
const ALIGNMENT = 64 * 1024;

export interface DiskReceiverOptions {
  sink: ResumableSink;
  checkpoints: CheckpointStore;
  /** Removes everything on the volume except the disk. */
  empty: () => Promise<void>;
}

/** Receives a disk without its zeros (blockdevice-clone) into a disk image or onto a device. */
export class DiskReceiver implements CloneReceiver {
  readonly #sink: ResumableSink;
  readonly #checkpoints: CheckpointStore;
  readonly #empty: () => Promise<void>;
  readonly #progress: Progress;
  #contentId = '';
  #virtualSize = 0;
  #decoder = new ExtentDecoder(0);
  #unsaved = 0;
  #saving: Promise<void> | undefined;
  #failure: unknown;
  /** Whether the data has reached the stored checkpoint, which is removed then. */
  #cleared = false;

  constructor({ sink, checkpoints, empty }: DiskReceiverOptions, progress: Progress) {
    this.#sink = sink;
    this.#checkpoints = checkpoints;
    this.#empty = empty;
    this.#progress = progress;
  }

  async begin({ contentId, virtualSize = 0, from = 0 }: CloneOffer): Promise<void> {
    this.#contentId = contentId;
    this.#virtualSize = virtualSize;
    this.#decoder = new ExtentDecoder(virtualSize, from);
    this.#progress.counters.bytesTotal = virtualSize;
    if (from > 0) {
      await this.#resume(from);
    } else {
      await this.#empty();
      await this.#sink.begin(virtualSize);
    }
  }

  async write(piece: Buffer): Promise<void> {
    for (const { offset, length, data } of this.#decoder.decode(piece)) {
      if (offset + length > this.#checkpoints.end) await this.#clear();
      if (data) {
        await this.#sink.write({ offset, data });
        this.#unsaved += length;
      }
      this.#progress.read(length);
    }
    if (this.#failure !== undefined) throw this.#failure as Error;
    if (this.#unsaved >= CHECKPOINT_EVERY && !this.#saving && !this.#cleared) {
      this.#saving = this.#save()
        .catch((error: unknown) => (this.#failure = error))
        .then(() => (this.#saving = undefined));
    }
  }

  async finish(): Promise<ReceivedClone> {
    this.#decoder.end();
    await this.#clear();
    const { size, preallocated } = await this.#sink.finish(this.#virtualSize);
    return { virtualSize: size, preallocated };
  }

  async suspend(): Promise<void> {
    await this.#saving;
    if (!this.#cleared) await this.#save();
    await this.#sink.suspend();
  }

  async abandon(): Promise<void> {
    await this.#saving;
    await this.#checkpoints.clear();
    await this.#sink.abandon();
  }

  async #resume(from: number): Promise<void> {
    const last = await this.#checkpoints.read();
    const target = last?.contentId === this.#contentId && last.from === from ? last.target : undefined;
    if (target && (await this.#sink.resume(target, this.#virtualSize))) {
      this.#progress.note('continuing', { from });
      this.#progress.read(from);
      return;
    }
    await this.#checkpoints.clear();
    throw new TransferError('SourceChanged', `the target does not hold ${from} bytes of the disk that is sent`);
  }

  async #save(): Promise<void> {
    this.#unsaved = 0;
    const from = Math.floor(this.#decoder.position / ALIGNMENT) * ALIGNMENT;
    const target = await this.#sink.checkpoint();
    if (target && from > 0) await this.#checkpoints.write({ contentId: this.#contentId, from, target });
  }

  /** Removes the checkpoint, so that none of it is left within the disk. */
  async #clear(): Promise<void> {
    if (this.#cleared) return;
    this.#cleared = true;
    await this.#saving;
    await this.#checkpoints.clear();
  }
}
