import { type EventLoopUtilization, performance } from 'node:perf_hooks';

/** The shortest window to assess, in milliseconds. */
const WINDOW = 250;
const STARVING_SHARE = 0.6;
const BUSY_SHARE = 0.5;

/**
 * Measures whether a connection limits its consumer: whether the consumer waits for bytes most of the time while this
 * process is mostly idle. Where the consumer, the disk or the processor is the limit, more connections would not help.
 */
export class Demand {
  #since = performance.now();
  #waited = 0;
  #loop: EventLoopUtilization = performance.eventLoopUtilization();

  /** Adds a wait for bytes, in milliseconds. */
  waited(duration: number): void {
    this.#waited += duration;
  }

  /**
   * Whether the connection limited its consumer in the window that ends now; undefined while the window has not ended.
   */
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
