import type { ByteStream } from '../../base/bytes.ts';
import type { TransferError } from '../../base/errors.ts';
import { MemoryPool } from '../../base/memory-pool.ts';
import { Patience, type PatienceOptions } from '../../base/patience.ts';
import type { Progress } from '../../base/progress.ts';
import type { HttpResponse } from './client.ts';
import type { ObjectIdentity } from './object-identity.ts';
import type { ObjectRequests } from './object-requests.ts';
import { Segment } from './segment.ts';

/** Memory in bytes for data that arrives ahead of its turn. */
const MEMORY = 16 * 1024 * 1024;
/** While one segment of each connection is being filled, another one can wait for its turn. */
const SEGMENTS_PER_CONNECTION = 2;
const FIRST_CONNECTIONS = 2;
/** Milliseconds before another connection is added, so that the effect of the last one can be seen. */
const GROWTH_INTERVAL_MILLISECONDS = 300;
/** The share of time for which the consumer has to wait before another connection is worth its memory. */
const WAITING_SHARE = 0.2;
/** Failures by which a server shows that it wants fewer connections rather than none. */
const refusals = new Set(['TooManyRequests', 'ServerUnavailable', 'ConnectionRefused', 'ConnectionFailed']);

export interface ParallelDownloadOptions {
  requests: ObjectRequests;
  identity: ObjectIdentity;
  /** Offset in the object at which to begin; `end` is the first offset that is not requested. */
  start: number;
  end: number;
  /** Most connections to use. */
  connections: number;
  progress: Progress;
  patience: PatienceOptions;
  signal?: AbortSignal | undefined;
}

/**
 * Continues to read an object over several connections, each of which fetches one segment after the other, and passes
 * the bytes on in order. Connections are added while the consumer waits for bytes; a server that refuses one is not
 * asked for as many again.
 */
export class ParallelDownload {
  /** Memory of all segments. */
  readonly memory: MemoryPool;
  readonly #options: ParallelDownloadOptions;
  readonly #segmentLength: number;
  /** Segments that are being or have been filled, in order. */
  readonly #segments: Segment[] = [];
  /** Segments for which a connection was refused. */
  readonly #refused: Segment[] = [];
  readonly #responses = new Set<HttpResponse>();
  #next: number;
  #connections = 0;
  /** The original connection, while it still reads up to the start of the segments; then 0. */
  #others = 1;
  #allowed: number;
  #most: number;
  #failure: unknown;
  #closed = false;
  #arrived = (): void => {};
  #grownAt = performance.now();
  /** Milliseconds for which the consumer has waited since then. */
  #waited = 0;

  constructor(options: ParallelDownloadOptions) {
    this.#options = options;
    this.#next = options.start;
    this.#most = options.connections;
    this.#allowed = Math.min(FIRST_CONNECTIONS, this.#most);
    const segments = SEGMENTS_PER_CONNECTION * this.#most;
    this.#segmentLength = Math.floor(MEMORY / segments);
    this.memory = new MemoryPool(segments * this.#segmentLength, this.#segmentLength);
  }

  /** Begins to fetch; data that arrives waits to be read. */
  begin(): void {
    while (this.#connections + this.#others < this.#allowed) {
      const segment = this.#refused.shift() ?? this.#nextSegment();
      if (segment === undefined) return;
      this.#connections += 1;
      void this.#work(segment);
    }
  }

  async *read(): ByteStream {
    let position = this.#options.start;
    this.#others = 0;
    this.begin();
    try {
      while (position < this.#options.end) {
        if (this.#failure !== undefined) throw this.#failure as Error;
        const segment = this.#segments[0];
        const bytes = segment?.take();
        if (bytes === undefined || bytes.length === 0) {
          await this.#arrival();
          continue;
        }
        position += bytes.length;
        yield bytes;
        if (segment?.exhausted) {
          this.#segments.shift();
          this.memory.giveBack(segment.memory.buffer as ArrayBuffer);
          this.begin();
        }
      }
    } finally {
      this.close();
    }
  }

  close(): void {
    this.#closed = true;
    for (const { body } of this.#responses) body.destroy();
  }

  /** Resolves when the state has changed for the consumer. */
  async #arrival(): Promise<void> {
    const arrival = new Promise<void>((resolve) => {
      this.#arrived = resolve;
    });
    this.#grow();
    this.#options.progress.awaiting();
    const since = performance.now();
    await arrival;
    this.#waited += performance.now() - since;
  }

  #nextSegment(): Segment | undefined {
    if (this.#closed || this.#next === this.#options.end) return undefined;
    // A consumer that does not wait for bytes gains nothing by more of them.
    if (this.#segments.length >= SEGMENTS_PER_CONNECTION * this.#allowed) return undefined;
    const memory = this.memory.take();
    if (memory === undefined) return undefined;
    const end = Math.min(this.#next + this.#segmentLength, this.#options.end);
    const segment = new Segment(this.#next, end, Buffer.from(memory));
    this.#next = end;
    this.#segments.push(segment);
    return segment;
  }

  #grow(): void {
    const now = performance.now();
    const interval = now - this.#grownAt;
    if (this.#allowed >= this.#most || interval < GROWTH_INTERVAL_MILLISECONDS) return;
    const isStarved = this.#waited >= interval * WAITING_SHARE;
    this.#grownAt = now;
    this.#waited = 0;
    if (!isStarved) return;
    this.#allowed += 1;
    this.begin();
  }

  /** Runs one connection, which fills segments as long as there are any. */
  async #work(first: Segment): Promise<void> {
    try {
      let segment: Segment | undefined = first;
      while (segment !== undefined && !this.#closed) {
        if (!(await this.#fill(segment))) {
          this.#refused.push(segment);
          break;
        }
        segment =
          this.#connections + this.#others > this.#allowed ? undefined : (this.#refused.shift() ?? this.#nextSegment());
      }
    } catch (error) {
      this.#failure ??= error;
      this.#arrived();
    } finally {
      this.#connections -= 1;
    }
    if (this.#failure === undefined && !this.#closed) this.begin();
  }

  /** @returns false where the server refuses this connection besides the others */
  async #fill(segment: Segment): Promise<boolean> {
    const { progress, requests } = this.#options;
    const patience = new Patience(this.#options.patience, progress, this.#options.signal);
    while (!segment.complete && !this.#closed) {
      try {
        await this.#receive(segment, patience);
      } catch (error) {
        if (this.#closed) break;
        const failure = requests.failure(error);
        if (this.#refusesOne(failure)) return false;
        await patience.afterFailure(failure);
      }
    }
    return true;
  }

  async #receive(segment: Segment, patience: Patience): Promise<void> {
    const { requests, identity, progress } = this.#options;
    const start = segment.position;
    const { response, start: answeredFrom } = await requests.range(start, segment.end, identity);
    if (answeredFrom !== start) throw requests.withoutRanges(response);
    this.#responses.add(response);
    progress.connected(1);
    try {
      if (this.#closed) return;
      for await (const bytes of response.body) {
        const taken = segment.fill(bytes);
        if (segment === this.#segments[0]) this.#arrived();
        progress.read(taken);
        patience.received(taken);
        if (taken < bytes.length) throw requests.violation('sent more than was asked for');
      }
      if (!segment.complete) throw requests.endedEarly(segment.end - segment.position);
    } catch (error) {
      throw requests.failure(error, segment.position === start ? start : undefined);
    } finally {
      progress.connected(-1);
      this.#responses.delete(response);
      response.body.destroy();
    }
  }

  #refusesOne(failure: TransferError): boolean {
    const connections = this.#connections + this.#others;
    if (!refusals.has(failure.code) || connections < 2) return false;
    this.#most = connections - 1;
    this.#allowed = this.#most;
    this.#options.progress.note('fewer connections', { most: this.#most, cause: failure.message });
    return true;
  }
}
