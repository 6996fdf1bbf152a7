import { constants, open } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../errors.ts';
import type { Progress } from '../progress.ts';
import { preallocate } from '../sinks/preallocate.ts';
import { imageTooLarge } from '../sinks/target-errors.ts';
import { measureVolume, type VolumeRequest } from '../sinks/volume-space.ts';
import type { CloneOffer } from './clone-protocol.ts';
import type { CloneReceiver, ReceivedClone } from './clone-receiver.ts';
import { emptyDirectory } from './empty-directory.ts';
import { TreeExtraction } from './tree-extraction.ts';

export interface TreeReceiverOptions {
  /** The root of the target volume. */
  directory: string;
  volume: VolumeRequest;
  /** Name of the disk image within the tree, where it is to hold one: it is grown to what may be used of the volume. */
  diskImage?: string;
  preallocation: boolean;
}

/** Receives a tar archive (filesystem-clone) into a Filesystem volume, which is the receiver's own: it is emptied first. */
export class TreeReceiver implements CloneReceiver {
  readonly #options: TreeReceiverOptions;
  readonly #progress: Progress;
  #extraction: TreeExtraction | undefined;
  /** Bytes that the disk image may have. */
  #usable = 0;

  constructor(options: TreeReceiverOptions, progress: Progress) {
    this.#options = options;
    this.#progress = progress;
  }

  async begin({ virtualSize, bytesTotal }: CloneOffer): Promise<void> {
    const { directory, volume } = this.#options;
    await emptyDirectory(directory);
    const { room, usable } = await measureVolume(directory, volume);
    // The overhead is a reserve for growing into: a disk that was made without it may still be copied as it is.
    if (virtualSize !== undefined && virtualSize > room) throw imageTooLarge(directory, virtualSize, room);
    this.#usable = usable;
    this.#progress.bytesTotal = bytesTotal;
    this.#extraction = new TreeExtraction(directory);
  }

  async write(piece: Buffer): Promise<void> {
    await this.#begun().write(piece);
    this.#progress.read(piece.length);
    this.#progress.wrote(piece.length);
  }

  async finish(): Promise<ReceivedClone> {
    const { diskImage, directory } = this.#options;
    await this.#begun().finish();
    this.#extraction = undefined;
    return diskImage === undefined ? { preallocated: false } : this.#growDisk(join(directory, diskImage));
  }

  async abandon(): Promise<void> {
    await this.#extraction?.abandon();
    this.#extraction = undefined;
    await emptyDirectory(this.#options.directory);
  }

  #begun(): TreeExtraction {
    if (!this.#extraction) throw new Error('a stream that was not begun');
    return this.#extraction;
  }

  async #growDisk(path: string): Promise<ReceivedClone> {
    // The archive may hold anything under this name.
    const file = await open(path, constants.O_RDWR | constants.O_NOFOLLOW).catch((error: unknown) => {
      if (['ENOENT', 'ELOOP', 'EISDIR', 'ENXIO'].includes(systemCode(error) ?? '')) return undefined;
      throw error;
    });
    if (!file) return { preallocated: false };
    try {
      const stats = await file.stat();
      if (!stats.isFile()) return { preallocated: false };
      const virtualSize = Math.max(stats.size, this.#usable);
      if (virtualSize > stats.size) await file.truncate(virtualSize);
      if (this.#options.preallocation) await preallocate(path, virtualSize);
      await file.sync();
      return { virtualSize, preallocated: this.#options.preallocation };
    } finally {
      await file.close();
    }
  }
}
