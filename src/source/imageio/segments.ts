import type { ReadContext } from './read-context.ts';
import { Segment } from './segment.ts';

const MEBIBYTE = 1024 * 1024;
const SHORTEST = 8 * MEBIBYTE;
/** What has come of segments that are not complete is read again after an interruption. */
const LONGEST = 32 * MEBIBYTE;
/** The largest and the least share of its time that a segment may wait for its answer. */
const MOST_WAITING = 0.1;
const LEAST_WAITING = 0.025;

/** The segments of a disk that are being read, each over a connection of its own. */
export class Segments {
  readonly #context: ReadContext;
  readonly #open = new Set<Segment>();
  #length = SHORTEST;

  constructor(context: ReadContext) {
    this.#context = context;
  }

  /** How long segments should be, in bytes: the longer, the farther away the daemon is. */
  get length(): number {
    return this.#length;
  }

  /**
   * Reads a part of a segment, which begins here or where the last read of it has ended.
   *
   * @param end of the segment
   */
  async read(offset: number, into: Buffer, end: number): Promise<void> {
    let segment = [...this.#open].find(({ position, isOver }) => position === offset && !isOver);
    if (segment === undefined) {
      segment = new Segment(offset, end, this.#context);
      this.#open.add(segment);
    }
    await segment.read(into);
    if (!segment.isOver) return;
    this.#open.delete(segment);
    this.#adjust(segment);
  }

  /** Closes the connections of all segments that are not complete. */
  abandon(): void {
    for (const segment of this.#open) segment.abandon();
    this.#open.clear();
  }

  #adjust({ start, end, shareOfWaiting }: Segment): void {
    // Those that were begun before the last change would change it again.
    if (end - start !== this.#length) return;
    if (shareOfWaiting > MOST_WAITING) this.#length = Math.min(LONGEST, this.#length * 2);
    else if (shareOfWaiting < LEAST_WAITING) this.#length = Math.max(SHORTEST, this.#length / 2);
  }
}
