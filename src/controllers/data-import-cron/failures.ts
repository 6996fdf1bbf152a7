import type { DataImportCron } from '../../api/data-import-cron.ts';
import type { DataVolume } from '../../api/data-volume.ts';
import { backoffDelay } from '../../kube/backoff.ts';

/**
 * On a DataImportCron: the digest whose import has failed last, how often it has, and the uid of the DataVolume that
 * was counted last, as a JSON object. Whoever changes it has an import tried sooner or later, and no more.
 */
export const failedImportAnnotation = 'cdi.kubevirt.io/dataImportCron.failedImport';

const BACKOFF = { base: 10 * 60_000, max: 24 * 60 * 60_000 };

interface FailedImport {
  readonly digest: string;
  readonly attempts: number;
  readonly uid: string;
}

/** A failed import, and when it is tried again. */
export interface Failure {
  readonly message: string;
  readonly attempts: number;
  /** Milliseconds since the epoch. */
  readonly retryAt: number;
  /** Value of {@link failedImportAnnotation} to write before the DataVolume is deleted. */
  readonly record: string;
}

/** Returns how the import of a digest has failed for good; undefined where its DataVolume has not. */
export function failureOf(
  cron: DataImportCron,
  digest: string,
  dataVolume: DataVolume | undefined,
): Failure | undefined {
  if (dataVolume?.status?.phase !== 'Failed') return undefined;
  const { uid = '', creationTimestamp = '' } = dataVolume.metadata;
  const conditions = dataVolume.status.conditions ?? [];
  const [running, bound] = ['Running', 'Bound'].map((type) => conditions.find((each) => each.type === type));
  const cause = [running, bound].find((condition) => condition?.message) ?? running;
  const earlier = recorded(cron.metadata.annotations?.[failedImportAnnotation]);
  const before = earlier?.digest === digest ? earlier.attempts : 0;
  const attempts = earlier?.digest === digest && earlier.uid === uid ? before : before + 1;
  // A deleted claim is no failure of the import.
  const isDeleted = conditions.some(({ reason }) => reason === 'ErrClaimLost');
  const failedAt = Date.parse(running?.lastHeartbeatTime ?? creationTimestamp) || 0;
  return {
    message: cause?.message ?? 'no reason was given',
    attempts,
    retryAt: isDeleted ? 0 : failedAt + backoffDelay(attempts, BACKOFF),
    record: JSON.stringify({ digest, attempts, uid } satisfies FailedImport),
  };
}

function recorded(text: string | undefined): FailedImport | undefined {
  try {
    const { digest, attempts, uid } = JSON.parse(text ?? '') as Partial<FailedImport>;
    const isCount = typeof attempts === 'number' && Number.isInteger(attempts) && attempts > 0;
    return typeof digest === 'string' && typeof uid === 'string' && isCount ? { digest, attempts, uid } : undefined;
  } catch {
    return undefined;
  }
}
