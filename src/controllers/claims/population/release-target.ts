import { finalizer } from '../../../api/finalizers.ts';
import { type PersistentVolumeClaim, persistentVolumeClaims } from '../../../kube/builtin-resources.ts';
import type { Result } from '../../../kube/controller.ts';
import { hasFinalizer, isBeingDeleted, removeFinalizer } from '../../../kube/finalizers.ts';
import { keyOf } from '../../../kube/key.ts';
import type { VolumeSnapshot } from '../../../kube/snapshot-resources.ts';
import { temporaryClaimName } from '../../../protocol/object-names.ts';
import { byCloneOfCdi } from '../../objects/left-by-cdi.ts';
import { isTemporary } from '../../objects/made-for.ts';
import { byTarget } from '../../objects/work-index.ts';
import type { ControllerContext } from '../../runtime/context.ts';
import { promisedVolume, releasePromise } from '../rebind/rebind-volume.ts';
import { removePodsOfCdi } from './clone-of-cdi.ts';
import { deleteMountingPod, deleteTemporary } from './delete-temporary.ts';
import { endRestoreHold, hasFailedToProvision, isHeldByRestore } from './failed-restore.ts';
import { areSettled, SETTLING_MILLISECONDS } from './settled.ts';

const LOOK_AGAIN_MILLISECONDS = 200;

/** The objects that currently exist for a target claim. */
interface Release {
  readonly context: ControllerContext;
  readonly target: PersistentVolumeClaim;
  /** Temporary claims, including those that are being deleted. */
  readonly claims: readonly PersistentVolumeClaim[];
  /** Temporary snapshots, including those that are being deleted. */
  readonly snapshots: readonly VolumeSnapshot[];
}

/**
 * The outcome of a step: after `later`, it has to be tried again soon; after `under way`, the end of a deletion
 * triggers the next reconciliation.
 */
type StepOutcome = 'done' | 'later' | 'under way';
type Step = (release: Release) => Promise<StepOutcome>;

/** Restores the reclaim policy of a volume that is being handed over. */
const endPromise: Step = async ({ context, target }) => {
  const volume = promisedVolume(context, target);
  if (volume) await releasePromise(context, volume);
  return 'done';
};

/**
 * Waits, up to a limit, until nothing is being created in the storage: objects that are deleted too early leave
 * something behind there.
 */
const awaitSettled: Step = async ({ context, target, claims, snapshots }) => {
  const age = context.now() - Date.parse(target.metadata?.deletionTimestamp ?? '');
  const isPatient = age < SETTLING_MILLISECONDS;
  return isPatient && !(await areSettled(context, remaining(claims), remaining(snapshots))) ? 'later' : 'done';
};

/**
 * Deletes the pods that mount the temporary claims. Even a finished pod keeps its claim from being removed, and the
 * garbage collector would remove the pod only after the claim.
 */
const deleteMountingPods: Step = async ({ context, target, claims }) => {
  if (!isBeingDeleted(target)) return 'done';
  await Promise.all(claims.map((claim) => deleteMountingPod(context, claim, target.metadata?.uid ?? '')));
  return 'done';
};

/** Deletes the pods by which CDI copies into its temporary claims, for the same reason. */
const deletePodsOfCdi: Step = async ({ context, claims }) => {
  await removePodsOfCdi(context, claims);
  return 'done';
};

const deleteObjects: Step = async ({ context, claims, snapshots }) => {
  const [claimsLeft, snapshotsLeft] = [remaining(claims), remaining(snapshots)];
  if ((await deleteTemporary(context, claimsLeft, snapshotsLeft)) === 'waiting') return 'later';
  // A deletion that has begun needs no further action.
  return claimsLeft.length > 0 || snapshotsLeft.length > 0 ? 'under way' : 'done';
};

/**
 * Removes the CSI provisioner's finalizer from snapshots that could not be restored, once the claims that they were to
 * be restored into no longer exist.
 */
const endFailedRestores: Step = async ({ context, target, snapshots }) => {
  if (!isBeingDeleted(target)) return 'done';
  const ended = await Promise.all(
    snapshots.filter(isHeldByRestore).map((snapshot) => endFailedRestore(context, target, snapshot)),
  );
  return ended.includes('later') ? 'later' : 'done';
};

const STEPS: readonly Step[] = [
  endPromise,
  awaitSettled,
  deleteMountingPods,
  deletePodsOfCdi,
  deleteObjects,
  endFailedRestores,
];

/** Removes, step by step, the objects that were created for a target claim. */
export async function removeTemporary(context: ControllerContext, target: PersistentVolumeClaim): Promise<StepOutcome> {
  const uid = target.metadata?.uid ?? '';
  for (const step of STEPS) {
    const { claims, snapshots } = temporaryOf(context, uid);
    const outcome = await step({ context, target, claims, snapshots });
    if (outcome !== 'done') return outcome;
  }
  return 'done';
}

/** Returns the outcome of a reconciliation in which the removal was not completed. */
export function untilRemoved(outcome: Exclude<StepOutcome, 'done'>): Result {
  return outcome === 'later' ? { requeueAfter: LOOK_AGAIN_MILLISECONDS } : undefined;
}

/**
 * Removes the objects that were created for a target claim, and then the finalizer of the target itself.
 *
 * @param annotations to be written on the target together with the removal of its finalizer
 */
export async function releaseTarget(
  context: ControllerContext,
  target: PersistentVolumeClaim,
  annotations: Readonly<Record<string, string>> = {},
): Promise<Result> {
  if (!hasFinalizer(target, finalizer.clonePopulator)) return undefined;
  const outcome = await removeTemporary(context, target);
  if (outcome !== 'done') return untilRemoved(outcome);
  await removeFinalizer(context.client, persistentVolumeClaims, target, finalizer.clonePopulator, annotations);
  return undefined;
}

/** Returns what was made for a target claim, by us or by CDI. */
function temporaryOf(
  { caches }: Pick<ControllerContext, 'caches'>,
  uid: string,
): Pick<Release, 'claims' | 'snapshots'> {
  return {
    claims: [...caches.claims.byIndex(byTarget, uid), ...caches.claims.byIndex(byCloneOfCdi, uid)],
    snapshots: [
      ...caches.snapshots.byIndex(byTarget, uid).filter(isTemporary),
      ...caches.snapshots.byIndex(byCloneOfCdi, uid),
    ],
  };
}

function remaining<T extends PersistentVolumeClaim | VolumeSnapshot>(objects: readonly T[]): T[] {
  return objects.filter((object) => !isBeingDeleted(object));
}

async function endFailedRestore(
  { client, caches }: ControllerContext,
  target: PersistentVolumeClaim,
  snapshot: VolumeSnapshot,
): Promise<'later' | 'done'> {
  const claim = { ...keyOf(snapshot), name: temporaryClaimName(target.metadata?.uid ?? '') };
  if (!(await hasFailedToProvision(client, claim))) return 'done';
  if (caches.claims.get(claim)) return 'later';
  await endRestoreHold(client, snapshot);
  return 'done';
}
