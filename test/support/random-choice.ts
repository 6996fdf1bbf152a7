import { createHash } from 'node:crypto';

/** Random choices that are the same for the same seed. */
export class RandomChoice {
  readonly #seed: string;
  #count = 0;

  constructor(seed: string) {
    this.#seed = seed;
  }

  /** A whole number from 0 up to, and without, the limit. */
  below(limit: number): number {
    this.#count++;
    const digest = createHash('sha256').update(`${this.#seed} ${this.#count}`).digest();
    return Math.floor((digest.readUInt32BE() / 2 ** 32) * limit);
  }

  /**
   * One of them.
   *
   * @throws RangeError where there is none
   */
  of<T>(values: readonly T[]): T {
    if (values.length === 0) throw new RangeError('there is nothing to choose from');
    return values[this.below(values.length)] as T;
  }
}
