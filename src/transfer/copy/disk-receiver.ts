import { TransferError } from '../../base/errors.ts';
import type { Progress } from '../../base/progress.ts';
import { zeroPieces } from '../../base/zeros.ts';
import type { UpdatableSink } from '../../sink/updatable-sink.ts';
import { type BlockCheck, CHECKED_LENGTH, codeOfBlock } from './block-checks.ts';
import type { CheckpointStore } from './copy-checkpoint.ts';
import { type CloneOffer, MISMATCHED_BASE, SPOILT_BASE } from './copy-protocol.ts';
import type { CloneReceiver, ReceivedClone } from './copy-receiver.ts';
import { type DiskExtent, ExtentDecoder } from './extent-stream.ts';

/**
 * Bytes of data between two checkpoints: what has to be sent again at most after a receiver was killed, apart from data
 * in flight.
 */
const CHECKPOINT_EVERY = 64 * 1024 * 1024;
/** Alignment in bytes of the offset at which a disk is resumed, so that its blocks are read and written whole. */
const ALIGNMENT = 64 * 1024;

export interface DiskReceiverOptions {
  sink: UpdatableSink;
  checkpoints: CheckpointStore;
  /** Removes everything on the volume except the disk. */
  empty: () => Promise<void>;
  /**
   * Whether the target holds an earlier state of the disk, parts of which may stay. It is never emptied then, and zeros
   * are written: once any of it has been replaced, a checkpoint says by which content.
   */
  holdsBase?: boolean;
}

/** Receives a disk without its zeros (blockdevice-clone) into a disk image or onto a device. */
export class DiskReceiver implements CloneReceiver {
  readonly #sink: UpdatableSink;
  readonly #checkpoints: CheckpointStore;
  readonly #empty: () => Promise<void>;
  readonly #holdsBase: boolean;
  readonly #progress: Progress;
  #contentId = '';
  #virtualSize = 0;
  /** Of the stream, where the disk arrives by one. */
  #decoder: ExtentDecoder | undefined;
  /** How far the disk is complete, in bytes from its start. */
  #position = 0;
  #unsaved = 0;
  #unchangedBytes = 0;
  #saving: Promise<void> | undefined;
  #failure: unknown;
  /** Whether the data has reached the stored checkpoint, which is removed then. */
  #cleared = false;
  /** Whether the stored checkpoint says that the base is not what it was taken for, and has to stay. */
  #isSpoilt = false;

  constructor({ sink, checkpoints, empty, holdsBase = false }: DiskReceiverOptions, progress: Progress) {
    this.#sink = sink;
    this.#checkpoints = checkpoints;
    this.#empty = empty;
    this.#holdsBase = holdsBase;
    this.#progress = progress;
  }

  async begin({ contentId, virtualSize = 0, from = 0 }: CloneOffer): Promise<void> {
    this.#contentId = contentId;
    this.#virtualSize = virtualSize;
    this.#position = from;
    this.#progress.counters.bytesTotal = virtualSize;
    if (from > 0) {
      await this.#resume(from);
    } else if (this.#holdsBase) {
      await this.#update();
    } else {
      await this.#empty();
      await this.#sink.begin(virtualSize);
    }
  }

  async write(piece: Buffer): Promise<void> {
    this.#decoder ??= new ExtentDecoder(this.#virtualSize, this.#position, { holdsBase: this.#holdsBase });
    await this.add(this.#decoder.decode(piece));
  }

  async add(parts: Iterable<DiskExtent | BlockCheck>): Promise<void> {
    for (const part of parts) {
      if ('code' in part) {
        await this.#verify(part);
        continue;
      }
      const { offset, length } = part;
      if (offset !== this.#position) {
        throw new TransferError('StreamCorrupted', `offset ${offset} follows where ${this.#position} was due`);
      }
      if (!this.#isLeftOut(part)) await this.#take(part);
      this.#position = offset + length;
      this.#progress.read(length);
    }
    this.#saveInTime();
  }

  /** @throws what an earlier checkpoint has failed with */
  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure as Error;
  }

  #saveInTime(): void {
    this.#throwFailure();
    if (this.#unsaved >= CHECKPOINT_EVERY && !this.#saving && !this.#cleared) {
      this.#saving = this.#save()
        .catch((error: unknown) => (this.#failure = error))
        .then(() => (this.#saving = undefined));
    }
  }

  async finish(): Promise<ReceivedClone> {
    this.#decoder?.end();
    if (this.#position !== this.#virtualSize) {
      throw new TransferError('StreamCorrupted', `the disk ends at offset ${this.#position} of ${this.#virtualSize}`);
    }
    await this.#clear();
    this.#throwFailure();
    const { size, preallocated } = await this.#sink.finish(this.#virtualSize);
    return { virtualSize: size, preallocated, ...(this.#holdsBase && { unchangedBytes: this.#unchangedBytes }) };
  }

  async suspend(): Promise<void> {
    try {
      await this.#saving;
      // What a failed sync has lost is not missed by the next one.
      if (!this.#cleared && !this.#isSpoilt && this.#failure === undefined) await this.#save();
    } finally {
      await this.#sink.suspend();
    }
  }

  async abandon(): Promise<void> {
    await this.#saving;
    if (this.#holdsBase) {
      await this.#sink.suspend();
      return;
    }
    await this.#checkpoints.clear();
    await this.#sink.abandon();
  }

  /** Whether nothing has to be done for it, as for most zeros: to wait for nothing takes time, too. */
  #isLeftOut({ offset, length, data, isUnchanged }: DiskExtent): boolean {
    return !data && !isUnchanged && !this.#holdsBase && offset + length <= this.#checkpoints.end;
  }

  async #take({ offset, length, data, keepUntil, isUnchanged }: DiskExtent): Promise<void> {
    const reachesCheckpoint = offset + length > this.#checkpoints.end;
    if (isUnchanged && reachesCheckpoint) {
      throw new TransferError('StreamCorrupted', `the end of the disk, from ${offset}, was left out`);
    }
    if (reachesCheckpoint) await this.#clear();
    if (data) {
      await this.#sink.write({ offset, data, keepUntil });
      this.#unsaved += length;
    } else if (isUnchanged) {
      this.#unchangedBytes += length;
    } else if (this.#holdsBase) {
      await this.#writeZeros(offset, length);
    }
  }

  async #writeZeros(offset: number, length: number): Promise<void> {
    let at = offset;
    for (const data of zeroPieces(length)) {
      await this.#sink.write({ offset: at, data });
      at += data.length;
    }
  }

  /** @throws TransferError BaseMismatch */
  async #verify({ offset, code }: BlockCheck): Promise<void> {
    const length = Math.min(CHECKED_LENGTH, this.#virtualSize - offset);
    if (codeOfBlock(await this.#sink.read(offset, length)) === code) return;
    await this.#spoil(MISMATCHED_BASE);
    throw new TransferError(
      'BaseMismatch',
      `the source has other bytes at offset ${offset} than the earlier copy of it, where nothing is said to have ` +
        'changed: the whole disk is copied',
    );
  }

  /** Records that there is no base any more, so that no other stream begins with it. */
  async #spoil(contentId: string): Promise<void> {
    this.#isSpoilt = true;
    await this.#checkpoints.write({ contentId, from: 0 });
  }

  async #update(): Promise<void> {
    if (!(await this.#sink.update(this.#virtualSize))) {
      throw new TransferError('BaseMismatch', 'the target holds no disk that could be updated');
    }
    const target = await this.#sink.checkpoint();
    await this.#checkpoints.write({ contentId: this.#contentId, from: 0, ...(target && { target }) });
  }

  async #resume(from: number): Promise<void> {
    const last = await this.#checkpoints.read();
    const target = last?.contentId === this.#contentId && last.from === from ? last.target : undefined;
    if (target && (await this.#sink.resume(target, this.#virtualSize))) {
      this.#progress.note('continuing', { from });
      this.#progress.read(from);
      return;
    }
    if (this.#holdsBase) await this.#spoil(SPOILT_BASE);
    else await this.#checkpoints.clear();
    throw new TransferError('SourceChanged', `the target does not hold ${from} bytes of the disk that is sent`);
  }

  async #save(): Promise<void> {
    this.#unsaved = 0;
    const from = Math.floor(this.#position / ALIGNMENT) * ALIGNMENT;
    const target = await this.#sink.checkpoint();
    if (target && from > 0) await this.#checkpoints.write({ contentId: this.#contentId, from, target });
  }

  /** Removes the checkpoint, so that none of it is left within the disk. */
  async #clear(): Promise<void> {
    if (this.#cleared) return;
    this.#cleared = true;
    await this.#saving;
    // Without its checkpoint it is taken for the base again, which may be spoilt in parts that are not durable yet.
    if (this.#holdsBase) await this.#sink.checkpoint();
    await this.#checkpoints.clear();
  }
}
