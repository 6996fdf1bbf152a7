import type { DataImportCron } from '../../api/data-import-cron.ts';
import type { DataVolume } from '../../api/data-volume.ts';
import { shortDigest } from '../../api/image-digest.ts';
import { keyOf } from '../../kube/key.ts';
import { snapshotTrouble } from '../../kube/snapshot-resources.ts';
import type { Plan } from './decide.ts';

/** A condition without its times. */
export interface CronCondition {
  readonly type: 'Progressing' | 'UpToDate';
  readonly status: 'True' | 'False';
  readonly reason: string;
  readonly message: string;
}

/** What the conditions of a DataImportCron depend on, besides its images. */
export interface CronTrouble {
  /** Why a look at the source has failed. */
  readonly poll?: string | undefined;
  /** What is wrong with the schedule. */
  readonly schedule?: string | undefined;
  /** What kept the controllers from doing what is to be done. */
  readonly work?: { readonly reason: string; readonly message: string } | undefined;
  /** Whether the DataSource is left to whoever has made it. */
  readonly isUnmanaged: boolean;
}

/** Returns whether an image is being imported. */
export function progressing({ newest }: Plan): CronCondition {
  const condition = (status: 'True' | 'False', reason: string, message: string): CronCondition => ({
    type: 'Progressing',
    status,
    reason,
    message,
  });
  if (newest.stage === 'failed') return condition('False', 'ImportFailed', newest.failure.message);
  if (newest.stage === 'snapshot') return condition('True', 'ImportProgressing', 'A snapshot is taken of the image');
  if (newest.stage !== 'importing' && newest.stage !== 'waiting')
    return condition('False', 'NoImport', 'No image is being imported');
  const { dataVolume } = newest;
  const phase = dataVolume.status?.phase || 'Pending';
  if (phase === 'ImportScheduled') return condition('False', phase, whatOf(dataVolume, phase));
  if (phase.endsWith('InProgress')) return condition('True', 'ImportProgressing', whatOf(dataVolume, phase));
  return condition('False', phase, whatOf(dataVolume, phase));
}

/** Returns whether the DataSource stands for the newest image, and if not, why. */
export function upToDate(
  { spec }: DataImportCron,
  digest: string | undefined,
  plan: Plan,
  trouble: CronTrouble,
): CronCondition {
  const { newest } = plan;
  const isComplete = newest.stage === 'complete';
  const condition = (reason: string, message: string): CronCondition => ({
    type: 'UpToDate',
    status: isComplete ? 'True' : 'False',
    reason,
    message,
  });
  if (trouble.work) return { ...condition(trouble.work.reason, trouble.work.message), status: 'False' };
  if (trouble.schedule) return condition('ScheduleNotValid', trouble.schedule);
  if (newest.stage === 'failed') {
    const { message, retryAt } = newest.failure;
    const then = retryAt === 0 ? 'it is imported again' : `it is tried again at ${timeText(retryAt)}`;
    const what = `Image ${shortDigest(digest ?? '')} could not be imported: ${message}`;
    return condition('ImportFailed', `${what}; ${then}, and a newer one at once`);
  }
  if (trouble.poll)
    return condition(
      'PollFailed',
      `Whether there is a newer image is not known: ${trouble.poll}; it is looked for again`,
    );
  return condition(...statement(spec, digest, newest, trouble.isUnmanaged));
}

function statement(
  { managedDataSource, schedule }: DataImportCron['spec'],
  digest: string | undefined,
  newest: Plan['newest'],
  isUnmanaged: boolean,
): [reason: string, message: string] {
  const image = `image ${shortDigest(digest ?? '')}`;
  switch (newest.stage) {
    case 'complete':
      return [
        'UpToDate',
        isUnmanaged
          ? `The newest ${image} is in place; DataSource "${managedDataSource}" is left as it is, because it has no label cdi.kubevirt.io/dataImportCron`
          : `DataSource "${managedDataSource}" stands for the newest ${image}`,
      ];
    case 'snapshot': {
      const why = newest.snapshot && snapshotTrouble(newest.snapshot);
      return ['ImportProgressing', `A snapshot is taken of the newest ${image}${why ? `: ${why}` : ''}`];
    }
    case 'importing':
      return [
        'ImportProgressing',
        `The newest ${image} is being imported: the condition Progressing has how far it is`,
      ];
    case 'waiting':
      return ['Outdated', `The newest ${image} is imported after the one that is under way`];
    case 'missing':
      return ['Outdated', `The newest ${image} is not there yet`];
    default:
      return [
        'NoDigest',
        schedule === ''
          ? 'No image is known yet: there is no schedule, and no annotation cdi.kubevirt.io/storage.import.sourceDesiredDigest'
          : 'The source has not been looked at yet',
      ];
  }
}

/** Says in which phase an import is, and what is in its way; of one that goes on, the progress is told elsewhere. */
function whatOf(dataVolume: DataVolume, phase: string): string {
  const running = dataVolume.status?.conditions?.find(({ type }) => type === 'Running');
  const message = running?.status === 'True' ? '' : running?.message;
  return `DataVolume ${keyOf(dataVolume).name} is in phase ${phase}${message ? `: ${message}` : ''}`;
}

function timeText(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}
