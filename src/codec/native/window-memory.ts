import { workerData } from 'node:worker_threads';
import { windowMemoryLimit } from '../../base/native/memory-limit.ts';

const UNIT = 1024;

/**
 * What all decoders of this process may have together for what they look back on: the windows of zstd, the dictionaries
 * of xz. Compressions that are nested in each other have theirs at once, whatever each of them were allowed alone. It is
 * counted across threads.
 */
export class WindowMemory {
  /** In bytes. */
  readonly limit: number;
  readonly #used: Int32Array;

  /**
   * @param limit in bytes
   * @param shared four bytes with which the threads count, in units of 1 KiB
   */
  constructor(limit: number, shared = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)) {
    this.limit = limit;
    this.#used = new Int32Array(shared);
  }

  /** For other threads to count with. */
  get shared(): SharedArrayBuffer {
    return this.#used.buffer as SharedArrayBuffer;
  }

  /** Bytes that are reserved. */
  get used(): number {
    return Atomics.load(this.#used, 0) * UNIT;
  }

  /**
   * Reserves memory that {@link release} gives back.
   *
   * @param most bytes that all may have together then, where that is less than the limit
   * @returns false where there is not so much
   */
  reserve(bytes: number, most = this.limit): boolean {
    const units = Math.ceil(bytes / UNIT);
    const before = Atomics.add(this.#used, 0, units);
    if ((before + units) * UNIT <= Math.min(most, this.limit)) return true;
    Atomics.sub(this.#used, 0, units);
    return false;
  }

  /** @param bytes as they were reserved */
  release(bytes: number): void {
    Atomics.sub(this.#used, 0, Math.ceil(bytes / UNIT));
  }
}

/** What a thread that decodes is told when it is started. */
export interface DecoderThreadData {
  windowMemory: SharedArrayBuffer;
}

/** Of this process. */
export const windowMemory = new WindowMemory(windowMemoryLimit(), sharedByStarter());

function sharedByStarter(): SharedArrayBuffer | undefined {
  const { windowMemory: shared } = (workerData ?? {}) as Partial<DecoderThreadData>;
  return shared;
}
