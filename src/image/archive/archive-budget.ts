import { setImmediate } from 'node:timers/promises';
import type { ByteReader } from '../../base/bytes.ts';
import { TransferError } from '../../base/errors.ts';
import { formatBytes } from '../../base/format-bytes.ts';

export interface ArchiveLimits {
  members: number;
  /** Bytes that nothing needs, and that are skipped. */
  skippedBytes: number;
}

/**
 * Skipping costs only time, but a few compressed megabytes can hold terabytes. An appliance has installation media of
 * some gigabytes beside its disk, and an image of an operating system as much in other files.
 */
export const archiveLimits: ArchiveLimits = { members: 100_000, skippedBytes: 64 * 1024 ** 3 };

/** Longest time in milliseconds without yielding to other work. */
const LONGEST_TURN = 20;

export interface ArchiveBudgetOptions {
  limits?: ArchiveLimits;
  signal?: AbortSignal | undefined;
}

/** The limits of what is searched for one image, in all archives and layers around it. */
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

  /** Skips `length` bytes and returns how many there were. Throws as {@link countSkipped} does, before it reads any. */
  async skip(reader: ByteReader, length: number): Promise<number> {
    this.countSkipped(length);
    return reader.skip(length, () => this.pause());
  }

  /** Skips the rest. Throws as {@link countSkipped} does. */
  async drain(reader: ByteReader): Promise<void> {
    const left = this.#limits.skippedBytes - this.#skippedBytes;
    this.countSkipped(await reader.skip(left + 1, () => this.pause()));
  }

  /**
   * Yields to other work from time to time, because the output of a decompressor may always be available at once.
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
