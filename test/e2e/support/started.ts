/**
 * Work that is started together and awaited one by one, so that a suite takes as long as its longest part and each
 * part's failure is its own test's.
 */
export class Started<T> {
  readonly #outcomes = new Map<string, Promise<T>>();

  start(name: string, work: () => Promise<T>): void {
    const outcome = work();
    outcome.catch(() => undefined);
    this.#outcomes.set(name, outcome);
  }

  outcome(name: string): Promise<T> {
    const outcome = this.#outcomes.get(name);
    if (!outcome) throw new Error(`"${name}" was not started`);
    return outcome;
  }
}
