import { workerData } from 'node:worker_threads';
import { windowMemoryLimit } from '../../base/native/memory-limit.ts';

const UNIT = 1024;

/**
 * The limit of what all decoders of this process may use together for their history: the windows of zstd, the
 * dictionaries of xz. Nested compressions need theirs at the same time, so that separate limits would not help. It is
 * counted across threads.
 */
export class WindowMemory {
  /** In bytes. */
  readonly limit: number;
  readonly #used: Int32Array;

  /**
   * @param limit in bytes
   * @param shared four bytes that the threads count with, in units of 1 KiB
   */
  constructor(limit: number, shared = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)) {
    this.limit = limit;
    this.#used = new Int32Array(shared);
  }

  /** The counter for other threads. */
  get shared(): SharedArrayBuffer {
    return this.#used.buffer as SharedArrayBuffer;
  }

  /** Bytes that are reserved. */
  get used(): number {
    return Atomics.load(this.#used, 0) * UNIT;
  }

  /**
   * Reserves memory, which {@link release} returns.
   *
   * @param most bytes that may be reserved in total, where that is less than the limit
   * @returns false where this much is not available
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

/** The data that a decoder thread gets when it is started. */
export interface DecoderThreadData {
  windowMemory: SharedArrayBuffer;
}

/** The limit of this process. */
export const windowMemory = new WindowMemory(windowMemoryLimit(), sharedByStarter());

function sharedByStarter(): SharedArrayBuffer | undefined {
  const { windowMemory: shared } = (workerData ?? {}) as Partial<DecoderThreadData>;
  return shared;
}
