import { dataImportCronAnnotation } from '../../api/annotations.ts';
import { type DataImportCron, dataImportCrons } from '../../api/data-import-cron.ts';
import { finalizer } from '../../api/finalizers.ts';
import { isDigest } from '../../api/image-digest.ts';
import type { Reconciler, Result } from '../../kube/controller.ts';
import { TerminalError, WaitingError } from '../../kube/errors.ts';
import { isBeingDeleted, removeFinalizer } from '../../kube/finalizers.ts';
import { keyOf, type ObjectKey } from '../../kube/key.ts';
import type { ControllerContext } from '../runtime/context.ts';
import { adoptImages } from './adopt.ts';
import { begin, recordUse, remove } from './carry-out.ts';
import { type CronCondition, type CronTrouble, progressing, upToDate } from './conditions.ts';
import { pointDataSource } from './data-source.ts';
import { type CronWorld, decide, type Plan } from './decide.ts';
import { eventOf } from './events.ts';
import { storageFor } from './format.ts';
import { imagesOf } from './images.ts';
import { managementOf } from './management.ts';
import type { PollMemory } from './polls/poll-memory.ts';
import { parseSchedule } from './polls/schedule.ts';
import { statusToWrite } from './status.ts';

const FIELD_MANAGER = 'diskpress-data-import-cron';

/**
 * Imports the image that each DataImportCron is to have, has its DataSource stand for it once it is complete, and
 * removes old ones. Everything is decided from what there is, so that nothing is lost where it is stopped at any point.
 */
export class DataImportCronReconciler implements Reconciler {
  readonly name = 'data-import-cron';
  readonly #context: ControllerContext;
  readonly #polls: PollMemory;

  constructor(context: ControllerContext, polls: PollMemory) {
    this.#context = context;
    this.#polls = polls;
  }

  async reconcile(key: ObjectKey): Promise<Result> {
    const cron = this.#context.caches.dataImportCrons.get(key);
    if (!cron) return undefined;
    if (isBeingDeleted(cron)) {
      // CDI holds a DataImportCron up for its CronJob, and Diskpress has none.
      await removeFinalizer(this.#context.client, dataImportCrons, cron, finalizer.dataImportCron);
      return undefined;
    }
    const world = this.#look(cron);
    const management = managementOf(this.#context.caches, cron);
    const plan = decide(world);
    if (management.by === 'another') {
      const message = `DataSource "${cron.spec.managedDataSource}" is kept by DataImportCron "${management.cron}": delete that one, or make this one anew with another managedDataSource`;
      const work = { reason: 'ErrDataSourceAlreadyManaged', message };
      await this.#report(cron, world.digest, plan, { work, isUnmanaged: true });
      return undefined;
    }
    const isUnmanaged = management.by === 'nobody';
    let trouble: TerminalError | WaitingError | undefined;
    try {
      await this.#work(world, plan, isUnmanaged);
    } catch (error) {
      if (!(error instanceof TerminalError || error instanceof WaitingError)) throw error;
      trouble = error;
    }
    await this.#report(cron, world.digest, plan, { ...this.#troubleOf(cron), work: trouble, isUnmanaged });
    if (trouble) throw trouble;
    const { newest } = plan;
    return newest.stage === 'failed'
      ? { requeueAfter: Math.max(1_000, newest.failure.retryAt - world.now) }
      : undefined;
  }

  #look(cron: DataImportCron): CronWorld {
    const { caches, now } = this.#context;
    const digest = cron.metadata.annotations?.[dataImportCronAnnotation.desiredDigest];
    const management = managementOf(caches, cron);
    return {
      ...storageFor(caches, cron),
      cron,
      digest: isDigest(digest) ? digest : undefined,
      images: imagesOf(caches, cron),
      dataSource: management.by === 'this' ? management.dataSource : undefined,
      now: now(),
    };
  }

  /** What the DataSource stands for is removed only after it stands for something else. */
  async #work(world: CronWorld, plan: Plan, isUnmanaged: boolean): Promise<void> {
    const { cron, dataSource, images, storageClass } = world;
    await adoptImages(this.#context, cron, images);
    if (!isUnmanaged) await pointDataSource(this.#context, cron, dataSource, plan.target);
    await recordUse(this.#context, plan);
    await remove(this.#context, world, plan);
    await begin(this.#context, world, plan);
    if (storageClass) await this.#recordStorageClass(cron, storageClass);
  }

  async #recordStorageClass({ metadata }: DataImportCron, storageClass: string): Promise<void> {
    if (metadata.annotations?.[dataImportCronAnnotation.storageClass] === storageClass) return;
    const annotations = { [dataImportCronAnnotation.storageClass]: storageClass };
    const { uid } = metadata;
    await this.#context.client.mergePatch(dataImportCrons, keyOf({ metadata }), { metadata: { uid, annotations } });
  }

  #troubleOf({ metadata, spec }: DataImportCron): Pick<CronTrouble, 'poll' | 'schedule'> {
    const times = spec.schedule === '' ? undefined : parseSchedule(spec.schedule);
    return {
      poll: this.#polls.get(metadata.uid ?? '')?.error,
      schedule: times && 'problem' in times ? times.problem : undefined,
    };
  }

  async #report(cron: DataImportCron, digest: string | undefined, plan: Plan, trouble: CronTrouble): Promise<void> {
    const { client, events, now } = this.#context;
    const conditions = [progressing(plan), this.#unlessUnknown(cron, upToDate(cron, digest, plan, trouble))];
    const status = statusToWrite(cron, digest, plan, conditions, now());
    if (!status) return;
    const event = eventOf(cron, conditions[1]);
    if (event) events.event(cron, event);
    await client.applyStatus(dataImportCrons, { metadata: keyOf(cron), status }, { fieldManager: FIELD_MANAGER });
  }

  /** What an earlier process has found out of the source holds until this one has looked. */
  #unlessUnknown({ metadata, status }: DataImportCron, observed: CronCondition): CronCondition {
    const recorded = status?.conditions?.find(({ type }) => type === 'UpToDate');
    const isUnknown = !this.#polls.has(metadata.uid ?? '') && ['UpToDate', 'NoDigest'].includes(observed.reason);
    if (!isUnknown || recorded?.reason !== 'PollFailed' || recorded.status !== observed.status) return observed;
    return { ...observed, reason: recorded.reason, message: recorded.message ?? '' };
  }
}
