import type { Metrics } from '../server/metrics.ts';
import { backoffDelay, type BackoffOptions } from './backoff.ts';

const DEFAULT_BACKOFF: BackoffOptions = { base: 50, max: 300_000 };

/**
 * A queue of keys to work on, with the guarantees of client-go: a key that is already waiting is not added twice; one
 * that is being processed is never given to a second worker, and if it is added meanwhile, it is processed once more
 * afterwards.
 */
export class WorkQueue {
  readonly #labels: { name: string };
  readonly #metrics: Metrics;
  readonly #backoff: BackoffOptions;
  /** Keys waiting for a worker, in order, with the time since when. */
  readonly #waiting = new Map<string, number>();
  /** Keys that a worker is processing, with the time since when. */
  readonly #processing = new Map<string, number>();
  /** Keys that were added while being processed, with the time since when. */
  readonly #again = new Map<string, number>();
  readonly #later = new Map<string, { due: number; timer: NodeJS.Timeout }>();
  readonly #failures = new Map<string, number>();
  readonly #idleWorkers: ((key: string | undefined) => void)[] = [];
  #dispatching: NodeJS.Immediate | undefined;
  #shutDown = false;

  constructor(name: string, metrics: Metrics, backoff: BackoffOptions = DEFAULT_BACKOFF) {
    this.#labels = { name };
    this.#metrics = metrics;
    this.#backoff = backoff;
    metrics.onCollect(() => this.#collect());
  }

  /** Number of keys that wait for a worker. */
  get size(): number {
    return this.#waiting.size;
  }

  add(key: string): void {
    if (this.#shutDown || this.#waiting.has(key) || this.#again.has(key)) return;
    this.#metrics.queueAdds.inc(this.#labels);
    const now = performance.now();
    if (this.#processing.has(key)) {
      this.#again.set(key, now);
      return;
    }
    this.#waiting.set(key, now);
    this.#dispatch();
  }

  /** Adds the key after this many milliseconds. Of several times for one key, the earliest counts. */
  addAfter(key: string, delay: number): void {
    if (this.#shutDown) return;
    if (delay <= 0) {
      this.add(key);
      return;
    }
    const due = performance.now() + delay;
    const scheduled = this.#later.get(key);
    if (scheduled && scheduled.due <= due) return;
    clearTimeout(scheduled?.timer);
    this.#later.set(key, { due, timer: this.#schedule(key, delay) });
  }

  /**
   * Adds the key after a delay that doubles with each failure since it was last forgotten.
   *
   * @param atLeast minimum delay in milliseconds that something else requires
   */
  addRateLimited(key: string, atLeast = 0): void {
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    this.#metrics.queueRetries.inc(this.#labels);
    this.addAfter(key, Math.max(backoffDelay(failures, this.#backoff), atLeast));
  }

  /**
   * Forgets the failures of a key after it was processed successfully, so that its next failure counts as the first.
   */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** Number of consecutive failures of the key. */
  failures(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  /**
   * Takes the next key, which belongs to this worker until it calls {@link done}. Resolves to undefined once the queue
   * is shut down.
   */
  async get(): Promise<string | undefined> {
    if (this.#shutDown) return undefined;
    return new Promise((resolve) => {
      this.#idleWorkers.push(resolve);
      this.#dispatch();
    });
  }

  done(key: string): void {
    const since = this.#processing.get(key);
    if (since === undefined) return;
    this.#metrics.queueWorkDuration.observe(this.#labels, secondsSince(since));
    this.#processing.delete(key);
    const again = this.#again.get(key);
    if (again === undefined) return;
    this.#again.delete(key);
    this.#waiting.set(key, again);
    this.#dispatch();
  }

  /** Stops handing out and accepting keys. Workers keep their keys until they are done. */
  shutDown(): void {
    this.#shutDown = true;
    for (const { timer } of this.#later.values()) clearTimeout(timer);
    this.#later.clear();
    this.#waiting.clear();
    this.#again.clear();
    for (const resolve of this.#idleWorkers.splice(0)) resolve(undefined);
  }

  #schedule(key: string, delay: number): NodeJS.Timeout {
    // Delays beyond a 32-bit number of milliseconds would fire at once.
    return setTimeout(
      () => {
        this.#later.delete(key);
        this.add(key);
      },
      Math.min(delay, 2 ** 31 - 1),
    );
  }

  /**
   * Gives keys to idle workers after the current synchronous work, so that all additions of one key lead to a single
   * reconciliation.
   */
  #dispatch(): void {
    if (this.#dispatching || this.#idleWorkers.length === 0 || this.#waiting.size === 0) return;
    this.#dispatching = setImmediate(() => this.#handOut());
  }

  #handOut(): void {
    this.#dispatching = undefined;
    while (this.#idleWorkers.length > 0 && this.#waiting.size > 0) {
      const [key, since] = this.#waiting.entries().next().value!;
      this.#waiting.delete(key);
      this.#processing.set(key, performance.now());
      this.#metrics.queueDuration.observe(this.#labels, secondsSince(since));
      this.#idleWorkers.shift()!(key);
    }
  }

  #collect(): void {
    const running = [...this.#processing.values()].map(secondsSince);
    this.#metrics.queueDepth.set(this.#labels, this.#waiting.size);
    this.#metrics.queueLongestRunning.set(this.#labels, Math.max(0, ...running));
    this.#metrics.queueUnfinishedWork.set(
      this.#labels,
      running.reduce((sum, seconds) => sum + seconds, 0),
    );
  }
}

function secondsSince(start: number): number {
  return (performance.now() - start) / 1000;
}
