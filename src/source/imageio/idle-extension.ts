import { asTransferError } from '../../base/errors.ts';
import type { Progress } from '../../base/progress.ts';

/** Half of the time after which the engine ends a transfer that is not read from. */
const IDLE_MILLISECONDS = 30_000;

/** Extends a transfer while nothing is read from it, because the storage that is written to is slow. */
export class IdleExtension {
  readonly #extend: () => Promise<void>;
  readonly #progress: Progress;
  readonly #timer: NodeJS.Timeout;

  constructor(extend: () => Promise<void>, progress: Progress, idle = IDLE_MILLISECONDS) {
    this.#extend = extend;
    this.#progress = progress;
    this.#timer = setTimeout(() => void this.#run(), idle).unref();
  }

  /** To be called whenever something is read, which extends the transfer by itself. */
  postpone(): void {
    this.#timer.refresh();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  async #run(): Promise<void> {
    this.#timer.refresh();
    try {
      await this.#extend();
    } catch (error) {
      // The next read finds out whether the transfer is still there.
      this.#progress.note('transfer not extended', { failure: asTransferError(error).message });
    }
  }
}
