import type { DiskRange } from '../../base/disk-source.ts';
import { TransferError } from '../../base/errors.ts';

const contents = ['data', 'zeros', 'unchanged'] as const;
/** Most ranges that are kept, of nine bytes each: a disk of 128 GiB of which every second 64 KiB cluster is data. */
const MOST_RANGES = 2 ** 21;

/** What the ranges of a disk hold, in little memory. Neighbours with the same content are one range. */
export class ExtentMap {
  #ends = new Float64Array(1024);
  #contents = new Uint8Array(1024);
  #count = 0;

  /** Size of the disk in bytes, as far as it is described. */
  get size(): number {
    return this.#ends[this.#count - 1] ?? 0;
  }

  /** Appends a range, which begins where the last one ended. */
  append(length: number, content: DiskRange['content']): void {
    const end = this.size + length;
    const kind = contents.indexOf(content);
    if (this.#count > 0 && this.#contents[this.#count - 1] === kind) {
      this.#ends[this.#count - 1] = end;
      return;
    }
    if (this.#count === this.#ends.length) this.#grow();
    this.#ends[this.#count] = end;
    this.#contents[this.#count] = kind;
    this.#count += 1;
  }

  /** Yields the ranges from an offset on. */
  *from(offset: number): Generator<DiskRange, void, void> {
    let start = offset;
    for (let index = this.#indexAt(offset); index < this.#count; index += 1) {
      const end = this.#ends[index] ?? 0;
      yield { offset: start, length: end - start, content: contents[this.#contents[index] ?? 0] ?? 'data' };
      start = end;
    }
  }

  /** Returns the index of the first range that ends behind an offset. */
  #indexAt(offset: number): number {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ends[middle] ?? 0) > offset) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #grow(): void {
    if (this.#count >= MOST_RANGES) {
      throw new TransferError(
        'ProtocolViolation',
        `the disk is told in more than ${MOST_RANGES} ranges, which is too many: convert it to another image first`,
      );
    }
    const [ends, kinds] = [this.#ends, this.#contents];
    this.#ends = new Float64Array(this.#count * 2);
    this.#ends.set(ends);
    this.#contents = new Uint8Array(this.#count * 2);
    this.#contents.set(kinds);
  }
}
