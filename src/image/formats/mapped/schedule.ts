import type { PieceRun } from './pieces.ts';

/** The pieces that a pass over the file will meet, nearest first, as far as the tables are known. */
export class Schedule {
  readonly #heap: PieceRun[] = [];
  #waiting = 0;

  /** @param runs the pieces that are known at the beginning */
  constructor(...runs: PieceRun[]) {
    for (const run of runs) this.add(run);
  }

  /** Number of waiting pieces, each of 20 bytes; runs that were partly consumed count as a whole. */
  get waiting(): number {
    return this.#waiting;
  }

  add(run: PieceRun): void {
    if (run.size === 0) return;
    this.#waiting += run.size;
    this.#heap.push(run);
    this.#siftUp(this.#heap.length - 1);
  }

  /** The nearest piece; undefined at the end. */
  get next(): PieceRun | undefined {
    return this.#heap[0];
  }

  /** Moves past the nearest piece. */
  advance(): void {
    const first = this.#heap[0];
    if (first === undefined) return;
    if (!first.advance()) {
      this.#waiting -= first.size;
      const last = this.#heap.pop();
      if (last === undefined || this.#heap.length === 0) return;
      this.#heap[0] = last;
    }
    this.#siftDown(0);
  }

  #host(index: number): number {
    return this.#heap[index]?.host ?? Infinity;
  }

  #siftUp(start: number): void {
    for (let index = start; index > 0;) {
      const parent = (index - 1) >>> 1;
      if (this.#host(parent) <= this.#host(index)) return;
      this.#swap(parent, index);
      index = parent;
    }
  }

  #siftDown(start: number): void {
    for (let index = start; ;) {
      const left = 2 * index + 1;
      const smaller = this.#host(left + 1) < this.#host(left) ? left + 1 : left;
      if (this.#host(index) <= this.#host(smaller)) return;
      this.#swap(index, smaller);
      index = smaller;
    }
  }

  #swap(a: number, b: number): void {
    const [first, second] = [this.#heap[a], this.#heap[b]];
    if (first === undefined || second === undefined) return;
    this.#heap[a] = second;
    this.#heap[b] = first;
  }
}
