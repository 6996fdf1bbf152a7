import type { LowestRate } from './too-slow.ts';

/** One who waits for bytes. */
export interface Wait {
  /** @param bytes how many have come */
  end(bytes: number): void;
}

/**
 * Watches that a source keeps up a lowest rate. Only the time in which somebody waits for bytes counts, once where several do:
 * who is slow to take them makes no server slow.
 */
export class Pace {
  readonly lowest: LowestRate;
  readonly #waiting = new Set<() => void>();
  #timer: NodeJS.Timeout | undefined;
  #since = 0;
  /** In milliseconds, before {@link #since}. */
  #waited = 0;
  #arrived = 0;

  constructor(lowest: LowestRate) {
    this.lowest = lowest;
  }

  /** @param onTooSlow called where the rate has been too low for as long as it may be, before the wait has ended */
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

  /** Adds a wait that is over and has brought nothing, in milliseconds. */
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
