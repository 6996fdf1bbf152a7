import { constants, open } from 'node:fs/promises';
import { join } from 'node:path';
import { emptyDirectory, makeWritable } from '../../base/empty-directory.ts';
import { systemCode, TransferError } from '../../base/errors.ts';
import { CAUTIOUSLY } from '../../base/planted-files.ts';
import type { Progress } from '../../base/progress.ts';
import { syncTree } from '../../base/sync-tree.ts';
import { preallocate } from '../../sink/preallocate.ts';
import { imageTooLarge } from '../../sink/target-errors.ts';
import { measureVolume, type VolumeRequest } from '../../sink/volume-space.ts';
import type { CheckpointFile } from './copy-checkpoint.ts';
import type { CloneOffer } from './copy-protocol.ts';
import type { CloneReceiver, ReceivedClone } from './copy-receiver.ts';
import { diskUsage } from './disk-usage.ts';
import { TreeExtraction } from './tree-extraction.ts';

export interface TreeReceiverOptions {
  /** The root of the target volume. */
  directory: string;
  volume: VolumeRequest;
  /** Name of the disk image within the tree, where it has one: the image is grown to the usable size of the volume. */
  diskImage?: string;
  preallocation: boolean;
  checkpoints: CheckpointFile;
}

/**
 * Receives a tar archive (filesystem-clone) into a Filesystem volume that has no other use: it is emptied first, unless
 * the archive resumes what is there.
 */
export class TreeReceiver implements CloneReceiver {
  readonly #options: TreeReceiverOptions;
  readonly #progress: Progress;
  #extraction: TreeExtraction | undefined;
  /** Largest size of the disk image in bytes. */
  #usable = 0;
  #contentId = '';
  /** Files whose inode changed before this are durable; in nanoseconds since the epoch. */
  #durableBefore = 0n;

  constructor(options: TreeReceiverOptions, progress: Progress) {
    this.#options = options;
    this.#progress = progress;
  }

  async begin({ contentId, from, virtualSize, bytesTotal }: CloneOffer): Promise<void> {
    const { directory, volume } = this.#options;
    this.#contentId = contentId;
    if (from === undefined) await emptyDirectory(directory);
    else await this.#resume();
    const used = from === undefined ? 0 : await diskUsage(directory);
    // The overhead is a reserve for growth: a disk that was made without it may still be copied as it is.
    const space = await measureVolume(directory, volume, { used, overheadIsReserve: true });
    if (virtualSize !== undefined && virtualSize > space.largest) {
      throw imageTooLarge(directory, { size: virtualSize, ...space });
    }
    this.#usable = space.usable;
    this.#progress.counters.bytesTotal = bytesTotal;
    await this.#writeCheckpoint();
    this.#extraction = new TreeExtraction(directory, () => this.#save());
  }

  async write(piece: Buffer): Promise<void> {
    await this.#begun().write(piece);
    this.#progress.read(piece.length);
    this.#progress.wrote(piece.length);
  }

  async finish(): Promise<ReceivedClone> {
    const { diskImage, directory, checkpoints } = this.#options;
    await this.#begun().finish();
    this.#extraction = undefined;
    await checkpoints.clear();
    await syncTree(directory);
    return diskImage === undefined ? { preallocated: false } : this.#growDisk(join(directory, diskImage));
  }

  async suspend(): Promise<void> {
    const isDurable = (await this.#extraction?.abandon()) ?? true;
    this.#extraction = undefined;
    if (isDurable) await this.#save();
  }

  async abandon(): Promise<void> {
    await this.#extraction?.abandon();
    this.#extraction = undefined;
    await emptyDirectory(this.#options.directory);
  }

  async #resume(): Promise<void> {
    const { directory, checkpoints } = this.#options;
    const last = await checkpoints.read();
    if (last?.contentId !== this.#contentId) {
      throw new TransferError('SourceChanged', `${directory} does not hold a part of the tree that is sent`);
    }
    this.#durableBefore = BigInt(last.durableBefore ?? 0);
    this.#progress.note('continuing', { directory });
    await makeWritable(Buffer.from(directory));
  }

  /**
   * Makes everything durable, and records the time before which it is. Touching the checkpoint file first provides that
   * time by the clock of the volume.
   */
  async #save(): Promise<void> {
    const { directory } = this.#options;
    const now = await this.#timeOfVolume();
    await syncTree(directory);
    this.#durableBefore = now;
    await this.#writeCheckpoint();
  }

  async #timeOfVolume(): Promise<bigint> {
    const { checkpoints } = this.#options;
    try {
      return await checkpoints.touch();
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error;
      await this.#writeCheckpoint();
      return checkpoints.touch();
    }
  }

  async #writeCheckpoint(): Promise<void> {
    const durableBefore = String(this.#durableBefore);
    await this.#options.checkpoints.write({ contentId: this.#contentId, from: 0, durableBefore });
  }

  #begun(): TreeExtraction {
    if (!this.#extraction) throw new Error('a stream that was not begun');
    return this.#extraction;
  }

  async #growDisk(path: string): Promise<ReceivedClone> {
    // The archive may have anything under this name.
    const file = await open(path, constants.O_RDWR | CAUTIOUSLY).catch((error: unknown) => {
      if (['ENOENT', 'ELOOP', 'EISDIR', 'ENXIO'].includes(systemCode(error) ?? '')) return undefined;
      throw error;
    });
    if (!file) return { preallocated: false };
    try {
      const stats = await file.stat();
      if (!stats.isFile()) return { preallocated: false };
      const virtualSize = Math.max(stats.size, this.#usable);
      if (virtualSize > stats.size) await file.truncate(virtualSize);
      if (this.#options.preallocation) await preallocate(file, path, virtualSize);
      await file.sync();
      return { virtualSize, preallocated: this.#options.preallocation };
    } finally {
      await file.close();
    }
  }
}
