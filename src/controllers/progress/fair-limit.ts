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
  readonly waiting: (() => void)[];
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
   * @returns the task's result, or undefined where too many tasks of its group are already waiting
   */
  async run<T>(name: string, task: () => Promise<T>): Promise<T | undefined> {
    const group = this.#groups.get(name) ?? { running: 0, waiting: [] };
    if (group.waiting.length >= this.#limits.waitingOfOneGroup) return undefined;
    this.#groups.set(name, group);
    const turn = Promise.withResolvers<void>();
    group.waiting.push(turn.resolve);
    this.#startNext();
    await turn.promise;
    try {
      return await task();
    } finally {
      this.#running -= 1;
      group.running -= 1;
      if (group.running === 0 && group.waiting.length === 0) this.#groups.delete(name);
      this.#startNext();
    }
  }

  #startNext(): void {
    if (this.#running >= this.#limits.atOnce) return;
    for (const [name, group] of this.#groups) {
      if (group.running >= this.#limits.ofOneGroup) continue;
      const start = group.waiting.shift();
      if (!start) continue;
      this.#running += 1;
      group.running += 1;
      this.#groups.delete(name);
      this.#groups.set(name, group);
      start();
      return;
    }
  }
}
