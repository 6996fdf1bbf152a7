/** Places for work of which only so much is to be under way at once. */
export class Places {
  readonly #waiting = new Set<() => void>();
  #free: number;

  /** @param places there are */
  constructor(places: number) {
    this.#free = places;
  }

  /**
   * Waits for a place, in the order of the calls.
   *
   * @returns what gives the place back
   * @throws the reason of the signal
   */
  async enter(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#free > 0) this.#free -= 1;
    else await this.#wait(signal);
    return () => this.#leave();
  }

  #wait(signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const abort = (): void => {
      this.#waiting.delete(enter);
      reject(signal.reason);
    };
    const enter = (): void => {
      signal.removeEventListener('abort', abort);
      resolve();
    };
    this.#waiting.add(enter);
    signal.addEventListener('abort', abort, { once: true });
    return promise;
  }

  #leave(): void {
    const [next] = this.#waiting;
    if (!next) {
      this.#free += 1;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
