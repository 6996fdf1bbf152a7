/** More at a time would not be faster: a node's pods share its processors. */
const AT_A_TIME = 5;

/**
 * Work that is begun together, a few at a time, and awaited one by one: a suite takes no longer than it must, and each
 * failure is its own test's.
 */
export class Started<T> {
  readonly #outcomes = new Map<string, Promise<T>>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  start(name: string, work: () => Promise<T>): void {
    const outcome = this.#turn().then(async () => {
      try {
        return await work();
      } finally {
        this.#running -= 1;
        this.#waiting.shift()?.();
      }
    });
    outcome.catch(() => undefined);
    this.#outcomes.set(name, outcome);
  }

  /** What became of the work of that name. */
  outcome(name: string): Promise<T> {
    const outcome = this.#outcomes.get(name);
    if (!outcome) throw new Error(`"${name}" was not started`);
    return outcome;
  }

  async #turn(): Promise<void> {
    if (this.#running >= AT_A_TIME) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#running += 1;
  }
}
