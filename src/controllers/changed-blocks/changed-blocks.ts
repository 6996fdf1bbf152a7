import { endOf } from '../../base/block-range.ts';
import { ApiError, toError } from '../../kube/errors.ts';
import { type BlockRanges, encodeBlockRanges } from '../../protocol/block-ranges.ts';
import type { BlockRange, NamedSnapshot } from '../../snapshot-metadata/snapshot-metadata.ts';
import { FairLimit } from '../progress/fair-limit.ts';
import type { MetadataServices, OpenService } from './metadata-services.ts';

/** Milliseconds after which a service that has not answered in full counts as away; waiting for its turn included. */
export const LONGEST_MILLISECONDS = 60_000;
/** Questions and answers that are remembered. */
const MOST_REMEMBERED = 256;
/** A driver that does not answer does not keep the others from it. */
const LIMITS = { atOnce: 8, ofOneGroup: 2, waitingOfOneGroup: MOST_REMEMBERED };
/** Milliseconds for which it is remembered whether a driver has a service. */
const REMEMBERED_MILLISECONDS = 30_000;
/** Drivers of which that is remembered. */
const MOST_DRIVERS = 256;

/** A snapshot with which a later one is compared. */
export interface EarlierSnapshot {
  /** Its CSI handle. */
  readonly handle: string;
  /** Capacity of its volume in bytes, at that time: of what is beyond it, nothing can be told. */
  readonly capacity: number;
}

/** What is asked of the service of a driver. */
export interface Question {
  readonly driver: string;
  /** The snapshot that is asked about. */
  readonly snapshot: NamedSnapshot;
  /** The earlier one with which it is compared; without it, what is allocated is asked. */
  readonly since?: EarlierSnapshot | undefined;
  /** Capacity of the snapshot's volume in bytes. */
  readonly capacity: number;
}

/**
 * What has come of a question: the document for a pod (src/protocol/block-ranges.ts), which is far smaller than the
 * ranges, or `why` there is none, for people.
 */
export type Answer = { readonly document: string } | { readonly why: string };

/** Asks the SnapshotMetadata services beside the reconcilers, which look again until there is an answer. */
export class ChangedBlocks {
  readonly #services: MetadataServices;
  readonly #now: () => number;
  /** What has come of the questions so far, by who asks, the oldest first. */
  readonly #asked = new Map<string, { answer: Answer | 'pending' }>();
  readonly #drivers = new Map<string, { readonly has: boolean; readonly until: number }>();
  readonly #limit = new FairLimit(LIMITS);

  /** @param now returns milliseconds since the epoch */
  constructor(services: MetadataServices, now: () => number) {
    this.#services = services;
    this.#now = now;
  }

  /** Whether a driver has a service that can be asked, as of the last half minute. */
  async has(driver: string): Promise<boolean> {
    const now = this.#now();
    const known = this.#drivers.get(driver);
    if (known && now < known.until) return known.has;
    const has = await this.#find(driver);
    if (this.#drivers.size >= MOST_DRIVERS) this.#drivers.clear();
    this.#drivers.set(driver, { has, until: now + REMEMBERED_MILLISECONDS });
    return has;
  }

  /**
   * Returns the answer to a question, or that it is still under way.
   *
   * @param asker identifies who asks; a question of theirs is asked once, until they forget it
   */
  ask(asker: string, question: Question): Answer | 'pending' {
    const known = this.#asked.get(asker);
    if (known) return known.answer;
    // Where too many are under way, it is asked when it is looked for again.
    if (!this.#makeRoom()) return 'pending';
    // The answer to a question that was forgotten must not become that of a later one.
    const asked: { answer: Answer | 'pending' } = { answer: 'pending' };
    this.#asked.set(asker, asked);
    void this.#answer(question).then((answer) => (asked.answer = answer));
    return 'pending';
  }

  /** Ends what an asker has asked. */
  forget(asker: string): void {
    this.#asked.delete(asker);
  }

  /** No copy has to fail, nor wait, because of a question that only saves time. */
  async #find(driver: string): Promise<boolean> {
    try {
      return await this.#services.has(driver);
    } catch (error) {
      if (error instanceof ApiError) return false;
      throw error;
    }
  }

  /** Returns whether another question can be remembered, for which the oldest answer that nobody has fetched goes. */
  #makeRoom(): boolean {
    if (this.#asked.size < MOST_REMEMBERED) return true;
    const oldest = [...this.#asked].find(([, { answer }]) => answer !== 'pending');
    return oldest !== undefined && this.#asked.delete(oldest[0]);
  }

  async #answer(question: Question): Promise<Answer> {
    const signal = AbortSignal.timeout(LONGEST_MILLISECONDS);
    try {
      const answer = await this.#limit.run(question.driver, () => this.#fetch(question, signal), signal);
      return answer ?? { why: `driver ${question.driver} is asked too much` };
    } catch (error) {
      return { why: signal.aborted ? unanswered(question) : toError(error).message };
    }
  }

  async #fetch(question: Question, signal: AbortSignal): Promise<Answer> {
    const service = await this.#services.open(question.driver);
    if (!service) return { why: `driver ${question.driver} has no SnapshotMetadataService` };
    try {
      const ranges = await rangesOf(service, question, signal);
      return { document: encodeBlockRanges(known(question, ranges)) };
    } finally {
      service.close();
    }
  }
}

const unanswered = ({ driver }: Question): string =>
  `the SnapshotMetadata service of driver ${driver} has not answered in full within ${LONGEST_MILLISECONDS / 1000} seconds`;

function rangesOf(
  service: OpenService,
  { snapshot, since, capacity }: Question,
  signal: AbortSignal,
): Promise<readonly BlockRange[]> {
  return since === undefined
    ? service.allocated(snapshot, capacity, signal)
    : service.delta(since.handle, snapshot, capacity, signal);
}

/** Leaves out what is beyond the end of the earlier snapshot, which the source pod then takes for changed. */
function known({ capacity, since }: Question, ranges: readonly BlockRange[]): BlockRanges {
  const end = Math.min(capacity, since?.capacity ?? capacity);
  const within = ranges.filter(({ offset }) => offset < end);
  return {
    capacity: end,
    ranges: within.map((range) => ({ offset: range.offset, length: Math.min(endOf(range), end) - range.offset })),
  };
}
