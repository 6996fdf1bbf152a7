import { setImmediate } from 'node:timers/promises';
import type { ByteReader } from '../../base/bytes.ts';
import { TransferError } from '../../base/errors.ts';
import { formatBytes } from '../../base/format-bytes.ts';

export interface ArchiveLimits {
  members: number;
  /** That nobody wants, and that are passed over. */
  skippedBytes: number;
}

/**
 * What is passed over costs time and nothing else: a few megabytes, compressed, can hold terabytes of it. An appliance has
 * installation media of some gigabytes beside its disk, and an image of an operating system as much in other files.
 */
export const archiveLimits: ArchiveLimits = { members: 100_000, skippedBytes: 64 * 1024 ** 3 };

/** Milliseconds for which others may have to wait. */
const LONGEST_TURN = 20;

export interface ArchiveBudgetOptions {
  limits?: ArchiveLimits;
  signal?: AbortSignal | undefined;
}

/** How much is looked through for the sake of one image, in all archives and layers that it is packed in. */
export class ArchiveBudget {
  readonly #limits: ArchiveLimits;
  readonly #signal: AbortSignal | undefined;
  #members = 0;
  #skippedBytes = 0;
  #turnBegan = performance.now();

  constructor({ limits = archiveLimits, signal }: ArchiveBudgetOptions = {}) {
    this.#limits = limits;
    this.#signal = signal;
  }

  /** @throws TransferError UnsupportedImage where there are too many */
  countMember(): void {
    this.#members += 1;
    const { members } = this.#limits;
    if (this.#members <= members) return;
    throw new TransferError(
      'UnsupportedImage',
      `the archive has more than ${members} members, and no more are looked through for a disk image: leave out the others`,
    );
  }

  /** @throws TransferError UnsupportedImage where there are too many */
  countSkipped(bytes: number): void {
    this.#skippedBytes += bytes;
    const { skippedBytes } = this.#limits;
    if (this.#skippedBytes <= skippedBytes) return;
    throw new TransferError(
      'UnsupportedImage',
      `the archive holds more than ${formatBytes(skippedBytes)} besides its disk image, and no more is passed over: ` +
        'leave out what is no disk',
    );
  }

  /** Passes over `length` bytes; returns how many there were. Throws as {@link countSkipped} does, before it reads any. */
  async skip(reader: ByteReader, length: number): Promise<number> {
    this.countSkipped(length);
    return reader.skip(length, () => this.pause());
  }

  /** Passes over all that is left. Throws as {@link countSkipped} does. */
  async drain(reader: ByteReader): Promise<void> {
    const left = this.#limits.skippedBytes - this.#skippedBytes;
    this.countSkipped(await reader.skip(left + 1, () => this.pause()));
  }

  /**
   * Now and then lets others get on: what comes out of a decompressor need not be waited for.
   *
   * @throws the signal's reason
   */
  async pause(): Promise<void> {
    this.#signal?.throwIfAborted();
    if (performance.now() - this.#turnBegan < LONGEST_TURN) return;
    await setImmediate();
    this.#turnBegan = performance.now();
    this.#signal?.throwIfAborted();
  }
}
