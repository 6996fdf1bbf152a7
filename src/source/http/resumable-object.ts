import type { ByteStream } from '../../base/bytes.ts';
import { Patience, type PatienceOptions } from '../../base/patience.ts';
import type { Progress } from '../../base/progress.ts';
import type { OpenedSource, RangeReader } from '../../base/source.ts';
import { Demand } from './demand.ts';
import { isStall } from './failures.ts';
import { type ObjectIdentity, versionOf } from './object-identity.ts';
import { type Answer, ObjectRequests } from './object-requests.ts';
import { ParallelDownload } from './parallel-download.ts';
import type { ObjectRequest } from './settled-request.ts';
import { isTrueWithin } from './true-within.ts';

export type { ObjectRequest } from './settled-request.ts';

export const DEFAULT_CONNECTIONS = 4;
/** Bytes that the first connection still fetches after others were added, which begin after them. */
const HANDOVER = 2 * 1024 * 1024;
/** Shortest remainder in bytes for which more connections pay off. */
const SHORTEST_PARALLEL = 8 * 1024 * 1024;
/** How many times a server may end at the same byte before it counts as incomplete. */
const MOST_EARLY_ENDS = 3;
/**
 * Milliseconds for the response to a second request while the first one is being served: some servers serve one at a
 * time.
 */
const PROOF_TIMEOUT_MILLISECONDS = 5000;
/**
 * After this many changes an object is read in order, and not in parts: the parts may come from different servers
 * behind one name.
 */
const CHANGES_BEFORE_ORDER = 2;

export interface ResumableObjectOptions {
  url: URL;
  request: ObjectRequest;
  progress: Progress;
  patience: PatienceOptions;
  /** Most connections for one object. */
  connections?: number | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * An object of a web server, read as a whole or in parts. After a broken connection, reading resumes where it stopped.
 * Where a connection limits its consumer, and the server supports ranges, connections are added.
 */
export class ResumableObject {
  readonly #options: ResumableObjectOptions;
  readonly #requests: ObjectRequests;
  /** The patience of all ranges together: each may have only a few bytes, which alone would not count as progress. */
  readonly #rangesPatience: Patience;
  #identity: ObjectIdentity | undefined;

  constructor(options: ResumableObjectOptions) {
    this.#options = options;
    this.#rangesPatience = this.#patience();
    this.#requests = new ObjectRequests(options.url, options.request, options.signal);
  }

  /** @param head bytes of the object's start that are going to be read, where the rest is not */
  async open(head?: number): Promise<OpenedSource> {
    this.#options.progress.awaiting();
    const answer = await this.#patience().persist(
      () => this.#requests.first(head),
      (error) => this.#requests.failure(error),
    );
    if (head !== undefined && answer.identity.size === undefined) {
      // Where the size is unknown, only the response to a request for the whole object shows where it ends.
      answer.response.body.destroy();
      return this.open();
    }
    const { response } = answer;
    const identity = await this.#withRanges(answer.identity);
    this.#identity = identity;
    const { ranges, size } = identity;
    const opened: OpenedSource = {
      bytes: this.#readFrom(0, identity, answer),
      size,
      mediaType: response.headers['content-type'],
      encoding: identity.encoding,
      version: versionOf(identity),
    };
    // Without a version, a read at another offset may be of another object.
    if (ranges === 'proven' && opened.version !== undefined) {
      opened.openAt = (offset) => this.#readFrom(offset, identity, undefined);
    }
    return opened;
  }

  async openRanges(): Promise<RangeReader | undefined> {
    const identity = this.#identity;
    const size = identity?.size;
    if (identity?.ranges !== 'proven' || size === undefined) return undefined;
    const versioned = versionOf(identity) !== undefined;
    return { size, versioned, read: (...part) => this.#readRange(identity, ...part) };
  }

  /** Returns what is known of the object, after testing the server's announced support of ranges. */
  async #withRanges(identity: ObjectIdentity): Promise<ObjectIdentity> {
    if (this.#requests.changes >= CHANGES_BEFORE_ORDER) return { ...identity, ranges: 'untried' };
    if (identity.ranges !== 'announced') return identity;
    const isProven = await isTrueWithin(PROOF_TIMEOUT_MILLISECONDS, this.#requests.provesRanges(identity));
    this.#options.signal?.throwIfAborted();
    return isProven ? { ...identity, ranges: 'proven' } : identity;
  }

  async *#readFrom(start: number, identity: ObjectIdentity, first: Answer | undefined): ByteStream {
    const { progress } = this.#options;
    // Another connection may lead to another server, with another version.
    const connections = this.#requests.changes > 0 ? 1 : (this.#options.connections ?? DEFAULT_CONNECTIONS);
    const size = identity.size ?? Infinity;
    const single = this.#readSingly(start, identity, first);
    const isParallel = identity.ranges === 'proven' && Number.isFinite(size) && connections > 1;
    const demand = isParallel ? new Demand() : undefined;
    let parallel: ParallelDownload | undefined;
    let offset = start;
    let end = size;
    try {
      while (offset < end) {
        const asked = performance.now();
        progress.awaiting();
        const next = await single.next();
        demand?.waited(performance.now() - asked);
        if (next.done === true) break;
        const bytes = next.value.subarray(0, end - offset);
        offset += bytes.length;
        progress.read(bytes.length);
        yield bytes;
        if (parallel === undefined && size - offset > SHORTEST_PARALLEL && demand?.assess() === true) {
          end = offset + HANDOVER;
          parallel = this.#startParallel(identity, { start: end, end: size, connections });
        }
      }
      await single.return();
      if (parallel !== undefined) yield* parallel.read();
    } finally {
      parallel?.close();
      await single.return();
    }
  }

  #startParallel(
    identity: ObjectIdentity,
    part: { start: number; end: number; connections: number },
  ): ParallelDownload {
    this.#options.progress.note('more connections', { most: part.connections });
    const parallel = new ParallelDownload({ ...this.#options, ...part, identity, requests: this.#requests });
    parallel.begin();
    return parallel;
  }

  /** Reads over one connection at a time, up to the end of the object. */
  async *#readSingly(start: number, identity: ObjectIdentity, first: Answer | undefined): ByteStream {
    const { progress } = this.#options;
    const patience = this.#patience();
    const end = identity.size ?? Infinity;
    let offset = start;
    let answer = first;
    let earlyEnds = 0;
    progress.connected(1);
    try {
      while (offset < end) {
        let skip = 0;
        let isSilent = true;
        try {
          answer ??= await this.#askFrom(offset, identity);
          // A server without ranges sends again what was already read, which is skipped.
          skip = offset - answer.start;
          for await (const bytes of answer.response.body) {
            const fresh = bytes.subarray(Math.min(skip, bytes.length));
            skip -= bytes.length - fresh.length;
            if (fresh.length === 0) continue;
            offset += fresh.length;
            if (offset > end) throw this.#requests.violation('sent more than it had announced');
            earlyEnds = 0;
            isSilent = false;
            patience.received(fresh.length);
            yield fresh;
          }
          if (skip > 0) throw this.#requests.changed(answer.response, identity);
          if (answer.end === undefined || identity.size === undefined) return;
          if (offset < answer.end) throw this.#requests.endedEarly(end - offset);
        } catch (error) {
          const failure = this.#requests.failure(error, answer !== undefined && isSilent ? offset : undefined);
          const isWhole = identity.ranges !== 'proven' && answer?.start === 0;
          if (isWhole && offset > 0 && skip === 0 && !isStall(error)) earlyEnds += 1;
          if (earlyEnds === MOST_EARLY_ENDS) throw this.#requests.alwaysEndsAt(offset, identity);
          await patience.afterFailure(failure);
        } finally {
          answer?.response.body.destroy();
          answer = undefined;
        }
      }
    } finally {
      progress.connected(-1);
    }
  }

  async #askFrom(offset: number, identity: ObjectIdentity): Promise<Answer> {
    if (identity.ranges === 'none') return this.#requests.again(identity);
    return this.#requests.range(offset, identity.size, identity);
  }

  async #readRange(
    identity: ObjectIdentity,
    offset: number,
    length: number,
    memory: Buffer = Buffer.allocUnsafe(length),
  ): Promise<Buffer> {
    const { progress } = this.#options;
    const result = memory.subarray(0, length);
    const patience = this.#rangesPatience;
    progress.awaiting();
    let done = 0;
    while (done < length) {
      let answer: Answer | undefined;
      let isSilent = true;
      try {
        answer = await this.#requests.range(offset + done, offset + length, identity);
        if (answer.start !== offset + done) throw this.#requests.withoutRanges(answer.response);
        for await (const bytes of answer.response.body) {
          const copied = bytes.copy(result, done);
          done += copied;
          isSilent = false;
          patience.received(copied);
          progress.read(copied);
          if (copied < bytes.length) throw this.#requests.violation('sent more than was asked for');
        }
      } catch (error) {
        answer?.response.body.destroy();
        const silentFrom = answer !== undefined && isSilent ? offset + done : undefined;
        await patience.afterFailure(this.#requests.failure(error, silentFrom));
      }
    }
    return result;
  }

  #patience(): Patience {
    return new Patience(this.#options.patience, this.#options.progress, this.#options.signal);
  }
}
