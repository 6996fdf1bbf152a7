/** Answers that count for a while, the latest of a limited number. Whoever asks meanwhile shares an answer. */
export class Remembered<T> {
  readonly #most: number;
  readonly #lifetime: number;
  /** The oldest first. */
  readonly #answers = new Map<string, { readonly answer: Promise<T>; readonly until: number }>();

  /**
   * @param most answers that are kept
   * @param lifetime in milliseconds
   */
  constructor(most: number, lifetime: number) {
    this.#most = most;
    this.#lifetime = lifetime;
  }

  /** Returns the answer for a key, which is asked for where it is not known. A failure is not remembered. */
  async get(key: string, ask: () => Promise<T>): Promise<T> {
    const known = this.#answers.get(key);
    if (known && known.until > performance.now()) return known.answer;
    this.#answers.delete(key);
    const answer = ask();
    const entry = { answer, until: performance.now() + this.#lifetime };
    this.#answers.set(key, entry);
    const [oldest] = this.#answers.keys();
    if (this.#answers.size > this.#most && oldest !== undefined) this.#answers.delete(oldest);
    try {
      return await answer;
    } catch (error) {
      if (this.#answers.get(key) === entry) this.#answers.delete(key);
      throw error;
    }
  }
}
