import { type PersistentVolumeClaim, persistentVolumeClaims } from '../../../kube/builtin-resources.ts';
import { isBeingDeleted } from '../../../kube/finalizers.ts';
import { keyOf } from '../../../kube/key.ts';
import { annotateClaim } from '../../claims/annotate-claim.ts';
import { isBound } from '../../claims/bound.ts';
import { hasFailedToProvision } from '../../claims/population/failed-restore.ts';
import type { WorkingClaimOptions } from '../../claims/population/working-claim.ts';
import { mayBePopulatedNow, waitsForFirstConsumer } from '../../claims/wait-for-first-consumer.ts';
import { warnAuthor } from '../../claims/warn-author.ts';
import {
  baseClassAnnotation,
  baseOfAnnotation,
  baseRefusedAnnotation,
  workBaseAnnotation,
  workSourceUidAnnotation,
} from '../../objects/internal-annotations.ts';
import { readReport } from '../../transfers/transfer-report.ts';
import { classUidOf } from '../bases/base.ts';
import { baseToBeginWith, incrementalSource } from '../planner/incremental.ts';
import type { CloneWork } from './phase.ts';

const FIELD_MANAGER = 'diskpress-clone-base';
/** How long a restore may take before it is given up. */
const PATIENCE_MILLISECONDS = 60_000;
/** A younger claim is not looked at for a failure, because most restores succeed at once. */
const FAILING_MILLISECONDS = 1_500;

/** What is special of a working claim of which a base is to be kept. */
type Beginning = Pick<WorkingClaimOptions, 'annotations' | 'dataSource'>;

/** Returns what is special of the working claim of a copy: where there is a base, it is restored from that. */
export async function beginWithBase({ context, changedBlocks, target, source }: CloneWork): Promise<Beginning> {
  if (source.kind !== 'PersistentVolumeClaim') return {};
  const { caches } = context;
  const copied = await incrementalSource({ caches, changedBlocks }, target, await source.read());
  if (!copied) return {};
  const { uid = '' } = copied.metadata ?? {};
  const marks = {
    [baseOfAnnotation]: uid,
    [baseClassAnnotation]: classUidOf(caches, target) ?? '',
    [workSourceUidAnnotation]: uid,
  };
  const base = baseToBeginWith(caches, target, copied);
  if (!base) return { annotations: marks };
  return {
    annotations: { ...marks, [workBaseAnnotation]: base.copy.metadata?.uid ?? '' },
    dataSource: { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: keyOf(base.copy).name },
  };
}

/**
 * Looks after a working claim that is restored from its base. It is removed where it cannot be, and made anew without.
 *
 * @returns `restoring` where this has to be called again after a while
 */
export async function lookAfterBase(
  work: CloneWork,
  claim: PersistentVolumeClaim,
): Promise<'removed' | 'restoring' | 'settled'> {
  const { caches, client, now } = work.context;
  const { annotations, uid, creationTimestamp } = claim.metadata ?? {};
  const baseUid = annotations?.[workBaseAnnotation];
  if (baseUid === undefined || isBeingDeleted(claim)) return 'settled';
  const { namespace } = keyOf(claim);
  // The name has meant that snapshot all the time, if it still does once the claim has its volume.
  const found = caches.snapshots.get({ namespace, name: claim.spec?.dataSource?.name ?? '' });
  const isGone = found?.metadata?.uid !== baseUid;
  const waits = waitsForFirstConsumer(claim, caches);
  // Pods for a volume that is there are only told of changes where its base is.
  const hasBegun = readReport(annotations) !== undefined && !waits;
  if (isBound(claim) ? !isGone || hasBegun : !isGone && !mayBePopulatedNow(claim, caches)) return 'settled';
  const age = now() - Date.parse(String(creationTimestamp ?? ''));
  const hasFailed = age > FAILING_MILLISECONDS && (await hasFailedToProvision(client, keyOf(claim)));
  const takesTooLong = age > PATIENCE_MILLISECONDS && !waits;
  if (!isGone && !hasFailed && !takesTooLong) return 'restoring';
  const why = isGone ? 'the earlier copy is gone' : 'the earlier copy could not be restored';
  await annotateClaim(client, work.target, FIELD_MANAGER, { [baseRefusedAnnotation]: why });
  warnAuthor(work.context, work.target, {
    reason: 'IncrementalCloneImpossible',
    message: `The whole volume is copied: ${why}`,
  });
  await client.delete(persistentVolumeClaims, keyOf(claim), { uid });
  return 'removed';
}
