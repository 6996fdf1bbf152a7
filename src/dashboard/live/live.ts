import type { Board } from '../board.ts';
import type { Access } from '../picture/access.ts';
import type { Pictures } from '../picture/picture.ts';
import { render, type Rendered, type Stream } from './stream.ts';

/** Shortest time between two updates. */
const INTERVAL_MILLISECONDS = 500;
/** Updates take no more than this share of one processor. */
const SHARE = 0.1;
/** Time between two looks at the ages of rows, and at readers that may have gone. */
const BEAT_MILLISECONDS = 15_000;
/** Time between two looks at what a reader may see. */
const ACCESS_MILLISECONDS = 30_000;

/** Streams at the same time, over all readers and of one reader. */
const MOST_STREAMS = 200;
const MOST_STREAMS_OF_ONE = 10;

/** A stream, and how to look again at what its reader may see; undefined where it may see nothing any more. */
interface Follower {
  readonly stream: Stream;
  readonly access: () => Promise<Access | undefined>;
}

/** Tells readers what changes: all changes of half a second together, and no more often than there is time for. */
export class Live {
  readonly #pictures: Pictures;
  readonly #followers = new Set<Follower>();
  readonly #timers: NodeJS.Timeout[];
  #scheduled: NodeJS.Timeout | undefined;
  /** When the next update may be, by performance.now(). */
  #notBefore = 0;

  constructor(board: Board, pictures: Pictures) {
    this.#pictures = pictures;
    board.onChange(() => this.schedule());
    this.#timers = [
      setInterval(() => this.#beat(), BEAT_MILLISECONDS),
      setInterval(() => void this.#lookAtAccess(), ACCESS_MILLISECONDS),
    ];
  }

  /** Whether there are too many streams for another one of this reader. */
  isFull(readerId: string): boolean {
    const own = [...this.#followers].filter(({ stream }) => stream.readerId === readerId).length;
    return this.#followers.size >= MOST_STREAMS || own >= MOST_STREAMS_OF_ONE;
  }

  /** @returns what ends it */
  follow(follower: Follower): () => void {
    this.#followers.add(follower);
    this.schedule();
    return () => this.#followers.delete(follower);
  }

  /** Sends what has changed, as soon as that may be. */
  schedule(): void {
    if (this.#scheduled !== undefined || this.#followers.size === 0) return;
    this.#scheduled = setTimeout(() => this.#update(), Math.max(0, this.#notBefore - performance.now()));
  }

  /** Ends all streams. */
  close(): void {
    this.#timers.forEach((timer) => clearInterval(timer));
    clearTimeout(this.#scheduled);
    for (const { stream } of this.#followers) stream.end();
  }

  #update(): void {
    const started = performance.now();
    this.#scheduled = undefined;
    const now = Date.now();
    const known = new Map<string, Rendered>();
    for (const { stream } of this.#followers) {
      if (stream.isBlocked) continue;
      const key = `${stream.access.id}\n${JSON.stringify(stream.query)}`;
      const rendered = known.get(key) ?? render(this.#pictures.draw(stream.access, stream.query), now);
      known.set(key, rendered);
      stream.show(rendered);
    }
    const ended = performance.now();
    this.#notBefore = Math.max(started + INTERVAL_MILLISECONDS, ended + (ended - started) / SHARE);
  }

  #beat(): void {
    for (const { stream } of this.#followers) stream.beat();
    this.schedule();
  }

  async #lookAtAccess(): Promise<void> {
    for (const { stream, access } of this.#followers) {
      const found = await access();
      if (found) stream.access = found;
      else stream.end();
    }
    this.schedule();
  }
}
