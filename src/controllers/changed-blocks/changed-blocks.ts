import { toError } from '../../kube/errors.ts';
import type { BlockRange, NamedSnapshot } from '../../snapshot-metadata/snapshot-metadata.ts';
import type { MetadataServices, OpenService } from './metadata-services.ts';

/** Milliseconds after which a service that has not answered in full counts as away. */
const LONGEST_MILLISECONDS = 60_000;
/** Calls that are under way at once. */
const MOST_AT_ONCE = 4;
/** Answers that are remembered; whoever asks again for a forgotten one has it asked again. */
const MOST_REMEMBERED = 256;

/** What is asked of the service of a driver. */
export interface Question {
  readonly driver: string;
  /** The snapshot that is asked about. */
  readonly snapshot: NamedSnapshot;
  /** CSI handle of the earlier snapshot with which it is compared; without it, what is allocated is asked. */
  readonly since?: string | undefined;
  /** Capacity of the snapshot's volume in bytes. */
  readonly capacity: number;
}

/** What has come of a question: `why` there is no answer is for people. */
export type Answer = { readonly ranges: readonly BlockRange[] } | { readonly why: string };

/** Asks the SnapshotMetadata services beside the reconcilers, which look again until there is an answer. */
export class ChangedBlocks {
  readonly #services: MetadataServices;
  /** The answers by who asks, the oldest first. */
  readonly #answers = new Map<string, Answer | 'pending'>();
  readonly #waiting: (() => void)[] = [];
  #underWay = 0;

  constructor(services: MetadataServices) {
    this.#services = services;
  }

  /** Whether a driver has a service that can be asked. */
  has(driver: string): Promise<boolean> {
    return this.#services.has(driver);
  }

  /**
   * Returns the answer to a question, or that it is still under way.
   *
   * @param asker identifies who asks; a question of theirs is asked once, until they forget it
   */
  ask(asker: string, question: Question): Answer | 'pending' {
    const known = this.#answers.get(asker);
    if (known) return known;
    this.#remember(asker, 'pending');
    void this.#answer(question).then((answer) => {
      if (this.#answers.has(asker)) this.#answers.set(asker, answer);
    });
    return 'pending';
  }

  /** Ends what an asker has asked. */
  forget(asker: string): void {
    this.#answers.delete(asker);
  }

  #remember(asker: string, answer: Answer | 'pending'): void {
    this.#answers.set(asker, answer);
    for (const oldest of this.#answers.keys()) {
      if (this.#answers.size <= MOST_REMEMBERED) break;
      this.#answers.delete(oldest);
    }
  }

  async #answer(question: Question): Promise<Answer> {
    if (this.#underWay >= MOST_AT_ONCE) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#underWay += 1;
    let service: OpenService | undefined;
    try {
      const signal = AbortSignal.timeout(LONGEST_MILLISECONDS);
      service = await this.#services.open(question.driver);
      if (!service) return { why: `driver ${question.driver} has no SnapshotMetadataService` };
      return { ranges: await rangesOf(service, question, signal) };
    } catch (error) {
      return { why: toError(error).message };
    } finally {
      service?.close();
      this.#underWay -= 1;
      this.#waiting.shift()?.();
    }
  }
}

function rangesOf(
  service: OpenService,
  { snapshot, since, capacity }: Question,
  signal: AbortSignal,
): Promise<readonly BlockRange[]> {
  return since === undefined
    ? service.allocated(snapshot, capacity, signal)
    : service.delta(since, snapshot, capacity, signal);
}
