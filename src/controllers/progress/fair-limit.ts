/** Limits of a {@link FairLimit}. */
export interface Limits {
  /** Number of tasks that run at a time. */
  readonly atOnce: number;
  /** Number of those that may belong to one group. */
  readonly ofOneGroup: number;
  /** Number of further tasks of one group that may wait; more are rejected. */
  readonly waitingOfOneGroup: number;
}

interface Group {
  running: number;
  /** What lets each of those begin that wait, in their order. */
  readonly waiting: Set<() => void>;
}

/**
 * Runs a bounded number of tasks at a time. Groups take turns, so that slow tasks of one group do not delay the others.
 */
export class FairLimit {
  readonly #limits: Limits;
  /** Groups by name, in the order of their turns. */
  readonly #groups = new Map<string, Group>();
  #running = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /**
   * Runs a task when it is its turn.
   *
   * @param signal ends the wait, not the task
   * @returns the task's result, or undefined where too many tasks of its group are already waiting
   * @throws the reason of the signal
   */
  async run<T>(name: string, task: () => Promise<T>, signal?: AbortSignal): Promise<T | undefined> {
    signal?.throwIfAborted();
    const group = this.#groups.get(name) ?? { running: 0, waiting: new Set() };
    if (group.waiting.size >= this.#limits.waitingOfOneGroup) return undefined;
    this.#groups.set(name, group);
    await this.#turn(name, group, signal);
    try {
      return await task();
    } finally {
      this.#running -= 1;
      group.running -= 1;
      this.#forgetEmpty(name, group);
      this.#startNext();
    }
  }

  async #turn(name: string, group: Group, signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const start = (): void => {
      signal?.removeEventListener('abort', leave);
      resolve();
    };
    const leave = (): void => {
      group.waiting.delete(start);
      this.#forgetEmpty(name, group);
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', leave, { once: true });
    group.waiting.add(start);
    this.#startNext();
    await promise;
  }

  #forgetEmpty(name: string, { running, waiting }: Group): void {
    if (running === 0 && waiting.size === 0) this.#groups.delete(name);
  }

  #startNext(): void {
    if (this.#running >= this.#limits.atOnce) return;
    for (const [name, group] of this.#groups) {
      if (group.running >= this.#limits.ofOneGroup) continue;
      const [start] = group.waiting;
      if (!start) continue;
      group.waiting.delete(start);
      this.#running += 1;
      group.running += 1;
      this.#groups.delete(name);
      this.#groups.set(name, group);
      start();
      return;
    }
  }
}
