import type { LowestRate } from './too-slow.ts';

/** A wait for bytes. */
export interface Wait {
  /** @param bytes how many have arrived */
  end(bytes: number): void;
}

/**
 * Watches that a source keeps a minimum rate. Only time that is spent waiting for bytes counts, and counts once for
 * concurrent waits, so that a slow consumer does not make a server look slow.
 */
export class Pace {
  readonly lowest: LowestRate;
  readonly #waiting = new Set<() => void>();
  #timer: NodeJS.Timeout | undefined;
  #since = 0;
  /** Milliseconds of waiting before {@link #since}. */
  #waited = 0;
  #arrived = 0;

  constructor(lowest: LowestRate) {
    this.lowest = lowest;
  }

  /** @param onTooSlow called before the wait has ended, once the rate has been too low for too long */
  begin(onTooSlow: () => void): Wait {
    if (this.#waiting.size === 0) this.#start();
    this.#waiting.add(onTooSlow);
    return {
      end: (bytes) => {
        this.#waiting.delete(onTooSlow);
        if (this.#waiting.size === 0) this.#stop();
        this.#arrived += bytes;
        if (this.#arrived >= this.lowest.bytes) this.#beginAnew();
      },
    };
  }

  /** Adds a wait that has ended without any bytes, in milliseconds. */
  waited(duration: number): void {
    this.#waited += duration;
  }

  #start(): void {
    this.#since = performance.now();
    this.#timer = setTimeout(() => {
      const waiting = [...this.#waiting];
      this.#beginAnew();
      for (const onTooSlow of waiting) onTooSlow();
    }, this.lowest.within - this.#waited);
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#waited += performance.now() - this.#since;
  }

  #beginAnew(): void {
    clearTimeout(this.#timer);
    this.#waited = 0;
    this.#arrived = 0;
    if (this.#waiting.size > 0) this.#start();
  }
}
