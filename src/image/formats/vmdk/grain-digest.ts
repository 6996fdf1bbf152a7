const MODULUS = 2 ** 40;

/**
 * How many grains there are, and where: in the tables, or as they were met. A sum, because tables and grains need not come in
 * one order, and nobody should have to remember them all.
 */
export class GrainDigest {
  count = 0;
  #sum = 0;

  /**
   * @param index of the grain on the disk
   * @param sector where it lies in the file
   */
  add(index: number, sector: number): void {
    this.count += 1;
    this.#sum = (this.#sum + mix(index) * (sector + 1)) % MODULUS;
  }

  equals(other: GrainDigest): boolean {
    return this.count === other.count && this.#sum === other.#sum;
  }
}

/** Less than 2^13, so that its product with a sector's number is exact. */
function mix(index: number): number {
  return Math.imul(index + 1, 0x9e3779b1) >>> 19;
}
