const MODULUS = 2 ** 40;

/**
 * A digest of the number and the locations of grains, from the tables or as they were met. It is a sum, because tables
 * and grains may come in different orders, and remembering them all would take too much memory.
 */
export class GrainDigest {
  count = 0;
  #sum = 0;

  /**
   * @param index of the grain on the disk
   * @param sector location in the file
   */
  add(index: number, sector: number): void {
    this.count += 1;
    this.#sum = (this.#sum + mix(index) * (sector + 1)) % MODULUS;
  }

  equals(other: GrainDigest): boolean {
    return this.count === other.count && this.#sum === other.#sum;
  }
}

/** Returns a number below 2^13, so that its product with a sector's number is exact. */
function mix(index: number): number {
  return Math.imul(index + 1, 0x9e3779b1) >>> 19;
}
