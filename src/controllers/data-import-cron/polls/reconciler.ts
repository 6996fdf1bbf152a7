import { dataImportCronAnnotation } from '../../../api/annotations.ts';
import { type DataImportCron, dataImportCrons } from '../../../api/data-import-cron.ts';
import { isDigest } from '../../../api/image-digest.ts';
import { givenSource, sources } from '../../../api/sources.ts';
import type { ReconcileContext, Reconciler, Result } from '../../../kube/controller.ts';
import { toError } from '../../../kube/errors.ts';
import { isBeingDeleted } from '../../../kube/finalizers.ts';
import { keyToString, type ObjectKey } from '../../../kube/key.ts';
import type { ImagePoller } from '../../image-polls/image-poller.ts';
import type { ControllerContext } from '../../runtime/context.ts';
import { lookAtSource } from './look.ts';
import { nextPoll, pollAfter } from './next-poll.ts';
import type { PollMemory, PollOutcome } from './poll-memory.ts';
import type { PollMetrics } from './poll-metrics.ts';

const LOOK_AGAIN_MILLISECONDS = 6_000;

type Found = PollOutcome & { readonly pullReference?: string | undefined };

/**
 * Looks at the source of each DataImportCron when it is time, and writes on it which version there is. What is imported
 * of that is for others to decide.
 */
export class ImagePollReconciler implements Reconciler {
  readonly name = 'image-poll';
  readonly #context: ControllerContext;
  readonly #poller: ImagePoller;
  readonly #memory: PollMemory;
  readonly #metrics: Pick<PollMetrics, 'count'>;
  /** Uid of the DataImportCron of each key. */
  readonly #uids = new Map<string, string>();

  constructor(
    context: ControllerContext,
    options: {
      readonly poller: ImagePoller;
      readonly memory: PollMemory;
      readonly metrics: Pick<PollMetrics, 'count'>;
    },
  ) {
    this.#context = context;
    this.#poller = options.poller;
    this.#memory = options.memory;
    this.#metrics = options.metrics;
  }

  async reconcile(key: ObjectKey, { signal }: Pick<ReconcileContext, 'signal'>): Promise<Result> {
    const { caches, now } = this.#context;
    const cron = caches.dataImportCrons.get(key);
    this.#remember(key, cron);
    if (!cron || isBeingDeleted(cron)) return undefined;
    const { uid = '' } = cron.metadata;
    const due = nextPoll(cron, this.#memory.get(uid), now());
    if (due === undefined) return undefined;
    if (due > now()) return { requeueAfter: due - now() };
    return this.#poll(cron, key, signal);
  }

  async #poll(cron: DataImportCron, key: ObjectKey, signal: AbortSignal): Promise<Result> {
    const { now } = this.#context;
    const { uid = '', annotations = {} } = cron.metadata;
    const at = now();
    const before = this.#memory.get(uid);
    const annotated = annotations[dataImportCronAnnotation.desiredDigest];
    const known = before?.known ?? (isDigest(annotated) ? { digest: annotated } : undefined);
    const outcome = await this.#look(cron, before, { known, at, signal });
    signal.throwIfAborted();
    this.#memory.set(uid, outcome);
    await this.#tell(cron, key, outcome);
    // As a rule, the watch brings what has been written sooner.
    return { requeueAfter: LOOK_AGAIN_MILLISECONDS };
  }

  async #look(
    cron: DataImportCron,
    before: PollOutcome | undefined,
    { known, at, signal }: { known: PollOutcome['known']; at: number; signal: AbortSignal },
  ): Promise<Found> {
    const source = givenSource(sources, cron.spec.template.spec.source ?? {})?.name ?? 'unknown';
    try {
      const { unchanged, pullReference, ...version } = await lookAtSource(this.#context, this.#poller, cron, {
        known,
        signal,
      });
      this.#metrics.count(source, unchanged ? 'unchanged' : 'new');
      return { known: version, failures: 0, at, pullReference };
    } catch (error) {
      signal.throwIfAborted();
      this.#metrics.count(source, 'failed');
      return { known, failures: (before?.failures ?? 0) + 1, error: toError(error).message, at };
    }
  }

  /** Writes what has been found; even where nothing has, the change wakes whoever tells why. */
  async #tell(cron: DataImportCron, key: ObjectKey, outcome: Found): Promise<void> {
    const { client, now } = this.#context;
    const next = pollAfter(cron, outcome.failures, now());
    const isFound = outcome.failures === 0 && outcome.known !== undefined;
    await client.mergePatch(dataImportCrons, key, {
      metadata: {
        uid: cron.metadata.uid,
        annotations: {
          [dataImportCronAnnotation.lastCronTime]: timestamp(outcome.at),
          ...(next === undefined ? {} : { [dataImportCronAnnotation.nextCronTime]: timestamp(next) }),
          ...(isFound ? { [dataImportCronAnnotation.desiredDigest]: outcome.known?.digest } : {}),
          ...(outcome.pullReference
            ? { [dataImportCronAnnotation.imageStreamDockerReference]: outcome.pullReference }
            : {}),
        },
      },
    });
  }

  #remember(key: ObjectKey, cron: DataImportCron | undefined): void {
    const id = keyToString(key);
    const [before, uid] = [this.#uids.get(id), cron?.metadata.uid];
    if (before !== undefined && before !== uid) this.#memory.delete(before);
    if (uid === undefined) this.#uids.delete(id);
    else this.#uids.set(id, uid);
  }
}

/** Formats a time in RFC 3339 with whole seconds. */
function timestamp(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}
