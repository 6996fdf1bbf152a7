import { type PersistentVolumeClaim, persistentVolumeClaims } from '../../../kube/builtin-resources.ts';
import { isBeingDeleted } from '../../../kube/finalizers.ts';
import { keyOf } from '../../../kube/key.ts';
import { annotateClaim } from '../../claims/annotate-claim.ts';
import { isBound } from '../../claims/bound.ts';
import { hasFailedToProvision } from '../../claims/population/failed-restore.ts';
import type { WorkingClaimOptions } from '../../claims/population/working-claim.ts';
import { waitsForFirstConsumer } from '../../claims/wait-for-first-consumer.ts';
import { warnAuthor } from '../../claims/warn-author.ts';
import {
  baseOfAnnotation,
  baseRefusedAnnotation,
  workBaseAnnotation,
  workSourceUidAnnotation,
} from '../../objects/internal-annotations.ts';
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
  const marks = { [baseOfAnnotation]: uid, [workSourceUidAnnotation]: uid };
  const base = baseToBeginWith(caches, target, copied);
  if (!base) return { annotations: marks };
  return {
    annotations: { ...marks, [workBaseAnnotation]: base.copy.metadata?.uid ?? '' },
    dataSource: { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: keyOf(base.copy).name },
  };
}

/**
 * Removes a working claim that cannot be restored from its base; it is made anew without one.
 *
 * @returns whether it has been
 */
export async function removeFailedBase(work: CloneWork, claim: PersistentVolumeClaim): Promise<boolean> {
  const { caches, client, now } = work.context;
  const uid = claim.metadata?.annotations?.[workBaseAnnotation];
  if (uid === undefined || isBeingDeleted(claim)) return false;
  const age = now() - Date.parse(String(claim.metadata?.creationTimestamp ?? ''));
  const { namespace } = keyOf(claim);
  // The name has meant that snapshot all the time, if it still does once the claim has its volume.
  const isGone = caches.snapshots.get({ namespace, name: claim.spec?.dataSource?.name ?? '' })?.metadata?.uid !== uid;
  if (isBound(claim) && !isGone) return false;
  const hasFailed = age > FAILING_MILLISECONDS && (await hasFailedToProvision(client, keyOf(claim)));
  const takesTooLong = age > PATIENCE_MILLISECONDS && !waitsForFirstConsumer(claim, caches);
  if (!isGone && !hasFailed && !takesTooLong) return false;
  const why = isGone ? 'the earlier copy is gone' : 'the earlier copy could not be restored';
  await annotateClaim(client, work.target, FIELD_MANAGER, { [baseRefusedAnnotation]: why });
  warnAuthor(work.context, work.target, {
    reason: 'IncrementalCloneImpossible',
    message: `The whole volume is copied: ${why}`,
  });
  await client.delete(persistentVolumeClaims, keyOf(claim), { uid: claim.metadata?.uid });
  return true;
}
