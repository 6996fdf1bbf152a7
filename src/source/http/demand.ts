import { performance, type EventLoopUtilization } from 'node:perf_hooks';

/** Milliseconds after which a look back tells something. */
const WINDOW = 250;
const STARVING_SHARE = 0.6;
const BUSY_SHARE = 0.5;

/**
 * Watches whether a connection holds its consumer up: the consumer waits for bytes most of the time, while this process has
 * little else to do. Where the consumer, the disk or the processor is what takes the time, more connections would not help.
 */
export class Demand {
  #since = performance.now();
  #waited = 0;
  #loop: EventLoopUtilization = performance.eventLoopUtilization();

  /** Adds a wait for bytes, in milliseconds. */
  waited(duration: number): void {
    this.#waited += duration;
  }

  /** Whether the connection held its consumer up in the window that ends now; undefined while it has not ended. */
  assess(): boolean | undefined {
    const now = performance.now();
    const elapsed = now - this.#since;
    if (elapsed < WINDOW) return undefined;
    const busy = performance.eventLoopUtilization(this.#loop).utilization;
    const starving = this.#waited / elapsed > STARVING_SHARE && busy < BUSY_SHARE;
    this.#since = now;
    this.#waited = 0;
    this.#loop = performance.eventLoopUtilization();
    return starving;
  }
}
