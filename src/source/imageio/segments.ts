import type { ReadContext } from './read-context.ts';
import { Segment } from './segment.ts';

/** Longest segment in bytes: as much as the buffers of a connection over a long distance hold. */
const LONGEST = 8 * 1024 * 1024;

/**
 * The data of a disk in segments, several of which are requested ahead of what is read. So the next ones arrive while
 * one is read, however far away the server is, and no memory is needed for them.
 */
export class Segments {
  readonly #context: ReadContext;
  readonly #most: number;
  #ahead: Segment[] = [];
  /** Offset up to which segments were made. */
  #planned = 0;

  /** @param most how many are requested at the same time */
  constructor(context: ReadContext, most: number) {
    this.#context = context;
    this.#most = most;
  }

  /** Reads a part, which should follow those that were asked for before. */
  async read(offset: number, into: Buffer): Promise<void> {
    const parts: Promise<void>[] = [];
    // All are asked for at once, because what is read in turn has to be asked for in turn.
    for (let at = 0; at < into.length;) {
      const segment = this.#at(offset + at);
      const length = Math.min(into.length - at, segment.end - offset - at);
      const part = segment.read(offset + at, into.subarray(at, at + length));
      parts.push(part);
      at += length;
      // A daemon with a single reader serves the next segment only after this one.
      if (this.#most === 1) await part;
    }
    this.#plan();
    await Promise.all(parts);
  }

  /** Closes the connections of everything that was requested. */
  abandon(): void {
    for (const segment of this.#ahead) segment.abandon();
    this.#ahead = [];
  }

  #at(offset: number): Segment {
    const known = this.#covering(offset);
    if (known !== undefined) return known;
    this.#forgetRead();
    if (this.#ahead.length === 0 || offset < this.#planned) {
      this.abandon();
      this.#planned = offset;
    }
    this.#plan(offset);
    return this.#covering(offset) ?? new Segment(offset, this.#context.session.current.extents.size, this.#context);
  }

  #covering(offset: number): Segment | undefined {
    return this.#ahead.find(({ start, end }) => start <= offset && offset < end);
  }

  #forgetRead(): void {
    this.#ahead = this.#ahead.filter(({ isOver }) => !isOver);
  }

  /**
   * Requests further segments, as many as may be.
   *
   * @param until an offset that they have to include in any case
   */
  #plan(until = 0): void {
    this.#forgetRead();
    for (const { offset, length, content } of this.#context.session.current.extents.from(this.#planned)) {
      const end = offset + length;
      for (let start = offset; start < end; start = this.#planned) {
        if (this.#ahead.length >= this.#most && this.#planned > until) return;
        this.#planned = content === 'data' ? Math.min(end, start + LONGEST) : end;
        if (content !== 'data') continue;
        const segment = new Segment(start, this.#planned, this.#context);
        this.#ahead.push(segment);
        void segment.request();
      }
    }
  }
}
