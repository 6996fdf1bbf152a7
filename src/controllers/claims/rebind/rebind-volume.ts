import {
  type PersistentVolume,
  type PersistentVolumeClaim,
  persistentVolumeClaims,
  persistentVolumes,
} from '../../../kube/builtin-resources.ts';
import { isNotFound, TerminalError, WaitingError } from '../../../kube/errors.ts';
import { isBeingDeleted } from '../../../kube/finalizers.ts';
import { jsonPointer } from '../../../kube/json-patch.ts';
import { keyOf, keyToString, type ObjectKey } from '../../../kube/key.ts';
import { isProvisionedFor } from '../../objects/evidence.ts';
import {
  handedToAnnotation,
  promisedByAnnotation,
  promisedToAnnotation,
  promisedToClaimAnnotation,
  reclaimPolicyAnnotation,
} from '../../objects/internal-annotations.ts';
import { isLeftByCdi, isPrimeOfCdi } from '../../objects/left-by-cdi.ts';
import { isMadeFor } from '../../objects/made-for.ts';
import type { ControllerContext } from '../../runtime/context.ts';
import { isBound } from '../bound.ts';
import { byMountedClaim } from '../mounted-claims.ts';
import { nextRebindStep, type RebindStep } from './decide.ts';
import { byPromise } from './promises.ts';

const LOOK_AGAIN_MILLISECONDS = 500;
/** The finalizer that keeps a claim as long as a pod that mounts it exists, even a finished one. */
const PVC_PROTECTION = 'kubernetes.io/pvc-protection';

type RebindContext = Pick<ControllerContext, 'client' | 'caches' | 'now'>;

/** Returns the volume that is being handed over to a claim. */
export function promisedVolume(
  context: Pick<RebindContext, 'caches'>,
  target: PersistentVolumeClaim,
): PersistentVolume | undefined {
  return context.caches.volumes.byIndex(byPromise, target.metadata?.uid ?? '')[0];
}

/** What is being waited for, and the milliseconds until the next look should no watch trigger one first; or `done`. */
type RebindOutcome = 'done' | { readonly waitingFor: string; readonly after?: number };

/** The steps after which nothing has to happen before the next one but what they wrote, which the cache has at once. */
const FOLLOWED_AT_ONCE: readonly RebindStep['do'][] = ['retain', 'restore-policy'];

/**
 * Takes the next steps of handing the working claim's volume to the target claim. It has to be called again whenever
 * one of the three objects changes, until it returns `done`.
 */
export async function rebindVolume(
  context: RebindContext,
  target: PersistentVolumeClaim,
  workingKey: ObjectKey,
): Promise<RebindOutcome> {
  const { taken, outcome } = await takeNextStep(context, target, workingKey);
  if (taken === undefined || !FOLLOWED_AT_ONCE.includes(taken)) return outcome;
  const now = context.caches.claims.get(keyOf(target));
  if (!now || now.metadata?.uid !== target.metadata?.uid || isBeingDeleted(now)) return outcome;
  const { taken: next, outcome: last } = await takeNextStep(context, now, workingKey, taken);
  return next === taken ? outcome : last;
}

/** @param taken is not taken again: the cache does not have what was written */
async function takeNextStep(
  context: RebindContext,
  target: PersistentVolumeClaim,
  workingKey: ObjectKey,
  taken?: RebindStep['do'],
): Promise<{ readonly taken?: RebindStep['do']; readonly outcome: RebindOutcome }> {
  const found = context.caches.claims.get(workingKey);
  const working = found && isWorkingClaim(found, target.metadata?.uid) ? found : undefined;
  const volume =
    promisedVolume(context, target) ?? volumeOf(context, working) ?? (isBound(target) && volumeOf(context, target));
  if (!volume) {
    // No watch triggers a reconciliation for a volume that does not belong to a claim yet.
    return {
      outcome: { waitingFor: `the volume of claim ${keyToString(workingKey)}`, after: LOOK_AGAIN_MILLISECONDS },
    };
  }
  const step = nextRebindStep({
    target: { uid: target.metadata?.uid ?? '', bound: isBound(target), volumeName: target.spec?.volumeName },
    working: working && {
      uid: working.metadata?.uid ?? '',
      deletedFor: deletedFor(working, context.now()),
      mounted: context.caches.pods.byIndex(byMountedClaim, keyToString(workingKey)).length > 0,
    },
    volume: {
      name: volume.metadata?.name ?? '',
      reclaimPolicy: volume.spec?.persistentVolumeReclaimPolicy ?? '',
      claimUid: volume.spec?.claimRef?.uid,
      promisedTo: volume.metadata?.annotations?.[promisedToAnnotation],
      promisedBy: volume.metadata?.annotations?.[promisedByAnnotation],
    },
  });
  if (step.do === 'abandon') {
    if (promisedVolume(context, target)) await releasePromise(context, volume);
    throw namesAnotherVolume(target);
  }
  if (step.do !== taken) await take(step, context, { target, working, volume });
  switch (step.do) {
    case 'nothing':
      return { outcome: 'done' };
    case 'wait':
      return { outcome: { waitingFor: step.for, ...(step.after !== undefined && { after: step.after }) } };
    default:
      return { taken: step.do, outcome: { waitingFor: `volume ${volume.metadata?.name}, ${UNDER_WAY[step.do]}` } };
  }
}

/** Descriptions of what happens after each step, until a watch shows its effect. */
const UNDER_WAY = {
  retain: 'which is set to be retained',
  'delete-working-claim': 'which is being freed of the working claim',
  'force-working-claim': 'which is being freed of the working claim',
  'point-at-target': 'which is being bound to the claim',
  'restore-policy': 'which gets its reclaim policy back',
} as const;

/**
 * Requires that a claim that is to be populated names no volume yet. A claim that was bound before still names one,
 * whatever its status says, and a claim whose user named a volume cannot be given another one.
 *
 * @throws WaitingError ErrClaimNotValid
 */
export function requireNoVolume(target: PersistentVolumeClaim): void {
  if (!target.spec?.volumeName) return;
  const { reason, message } = namesAnotherVolume(target);
  throw new WaitingError(reason, message);
}

function namesAnotherVolume(target: PersistentVolumeClaim): TerminalError {
  return new TerminalError(
    'ErrClaimNotValid',
    `Claim ${keyToString(keyOf(target))} names volume "${target.spec?.volumeName}", so that no other can be handed to it; make it, or its DataVolume, anew`,
  );
}

/**
 * Restores the reclaim policy of a promised volume, so that the policy of its class applies when the target is deleted.
 * A volume that was provisioned for the working claim, and still belongs to it, never was a user's, and is deleted with
 * that claim. Where the claim of a volume names another volume, Kubernetes makes the volume available to the next claim
 * with that name; the uid of the claim is therefore set again, so that no other claim can bind it.
 */
export async function releasePromise(context: Pick<RebindContext, 'client'>, volume: PersistentVolume): Promise<void> {
  const isUsers = !isProvisionedFor(volume, volume.metadata?.annotations?.[promisedByAnnotation]);
  const policy = (isUsers && volume.metadata?.annotations?.[reclaimPolicyAnnotation]) || 'Delete';
  const uid = volume.metadata?.annotations?.[promisedToAnnotation];
  const { claimRef } = volume.spec ?? {};
  await context.client.mergePatch(persistentVolumes, keyOf(volume), {
    metadata: {
      resourceVersion: volume.metadata?.resourceVersion,
      annotations: {
        [promisedToAnnotation]: null,
        [promisedToClaimAnnotation]: null,
        [promisedByAnnotation]: null,
        [reclaimPolicyAnnotation]: null,
        // This distinguishes the claim from one that Kubernetes has bound to a volume with other data.
        ...(uid && claimRef?.uid === uid ? { [handedToAnnotation]: uid } : {}),
      },
    },
    spec: {
      persistentVolumeReclaimPolicy: policy,
      ...(claimRef && !claimRef.uid && uid ? { claimRef: { uid } } : {}),
    },
  });
}

async function take(
  step: RebindStep,
  context: RebindContext,
  {
    target,
    working,
    volume,
  }: { target: PersistentVolumeClaim; working: PersistentVolumeClaim | undefined; volume: PersistentVolume },
): Promise<void> {
  const { client } = context;
  const { name, namespace, uid } = target.metadata ?? {};
  // With the resourceVersion, the request fails where the decision was made on an outdated cache.
  const resourceVersion = volume.metadata?.resourceVersion;
  switch (step.do) {
    case 'retain':
      await client.mergePatch(persistentVolumes, keyOf(volume), {
        metadata: {
          resourceVersion,
          annotations: {
            [promisedToAnnotation]: uid,
            [promisedToClaimAnnotation]: `${namespace}/${name}`,
            [promisedByAnnotation]: volume.metadata?.annotations?.[promisedByAnnotation] ?? working?.metadata?.uid,
            [reclaimPolicyAnnotation]:
              volume.metadata?.annotations?.[reclaimPolicyAnnotation] ?? volume.spec?.persistentVolumeReclaimPolicy,
          },
        },
        spec: { persistentVolumeReclaimPolicy: 'Retain' },
      });
      return;
    case 'delete-working-claim':
      if (working) await deleteClaim(context, working);
      return;
    case 'force-working-claim':
      if (working) await deleteAtOnce(context, working);
      await pointAt(context, volume, target);
      return;
    case 'point-at-target':
      await pointAt(context, volume, target);
      return;
    case 'restore-policy':
      await releasePromise(context, volume);
      return;
    case 'abandon':
    case 'wait':
    case 'nothing':
      return;
  }
}

async function deleteClaim({ client }: RebindContext, claim: PersistentVolumeClaim): Promise<void> {
  await client.delete(persistentVolumeClaims, keyOf(claim), { uid: claim.metadata?.uid });
}

/**
 * Deletes a working claim without waiting for the pod that filled it, which has finished but would keep the claim for
 * seconds. While the claim exists, the volume controller of Kubernetes complains, in a Warning event, that two claims
 * are bound to one volume.
 */
async function deleteAtOnce(context: RebindContext, working: PersistentVolumeClaim): Promise<void> {
  const { client } = context;
  const { uid, finalizers = [] } = working.metadata ?? {};
  if (!isBeingDeleted(working)) await deleteClaim(context, working);
  // The finalizers of what somebody else has made are not ours to remove.
  if (isLeftByCdi(working)) return;
  try {
    const kept = finalizers.filter((name) => name !== PVC_PROTECTION);
    await client.mergePatch(persistentVolumeClaims, keyOf(working), { metadata: { uid, finalizers: kept } });
  } catch (error) {
    // The claim was removed in the meantime.
    if (!isNotFound(error)) throw error;
  }
}

/**
 * Points the volume's claimRef at the target. The request fails where what the decision was made on is outdated, but
 * not where Kubernetes has told meanwhile that the volume is released.
 */
async function pointAt(
  { client }: RebindContext,
  volume: PersistentVolume,
  { metadata }: PersistentVolumeClaim,
): Promise<void> {
  const { name, namespace, uid } = metadata ?? {};
  const giver = volume.spec?.claimRef?.uid;
  await client.jsonPatch(persistentVolumes, keyOf(volume), [
    { op: 'test', path: jsonPointer('metadata', 'uid'), value: volume.metadata?.uid },
    { op: 'test', path: jsonPointer('metadata', 'annotations', promisedToAnnotation), value: uid },
    { op: 'test', path: jsonPointer('spec', 'persistentVolumeReclaimPolicy'), value: 'Retain' },
    // A volume that is nobody's can become anybody's, of which only its version tells.
    giver === undefined
      ? { op: 'test', path: jsonPointer('metadata', 'resourceVersion'), value: volume.metadata?.resourceVersion }
      : { op: 'test', path: jsonPointer('spec', 'claimRef', 'uid'), value: giver },
    {
      op: 'add',
      path: jsonPointer('spec', 'claimRef'),
      value: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid },
    },
  ]);
}

/** Returns the milliseconds since the deletion of a claim was requested; undefined where it was not. */
function deletedFor({ metadata }: PersistentVolumeClaim, now: number): number | undefined {
  const { deletionTimestamp } = metadata ?? {};
  // Where the clocks differ, the sign says nothing.
  return deletionTimestamp === undefined ? undefined : Math.abs(now - Date.parse(deletionTimestamp));
}

function isWorkingClaim(claim: PersistentVolumeClaim, targetUid: string | undefined): boolean {
  return isMadeFor(claim, targetUid) || isPrimeOfCdi(claim, targetUid);
}

function volumeOf(context: RebindContext, claim: PersistentVolumeClaim | undefined): PersistentVolume | undefined {
  const name = claim?.spec?.volumeName;
  return name ? context.caches.volumes.get({ namespace: '', name }) : undefined;
}
