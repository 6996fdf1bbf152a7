import {
  persistentVolumeClaims,
  persistentVolumes,
  type PersistentVolume,
  type PersistentVolumeClaim,
} from '../../../kube/builtin-resources.ts';
import { TerminalError, WaitingError, isNotFound } from '../../../kube/errors.ts';
import { keyOf, keyToString, type Key } from '../../../kube/key.ts';
import type { ControllerContext } from '../../runtime/context.ts';
import {
  handedToAnnotation,
  promisedByAnnotation,
  promisedToAnnotation,
  promisedToClaimAnnotation,
  reclaimPolicyAnnotation,
} from '../../objects/internal-annotations.ts';
import { isProvisionedFor } from '../../objects/evidence.ts';
import { isMadeFor } from '../../objects/made-for.ts';
import { isBound } from '../bound.ts';
import { byPromise } from './promises.ts';
import { nextRebindStep, type RebindStep } from './decide.ts';

const LOOK_AGAIN_MILLISECONDS = 500;
/** Keeps a claim for as long as there is a pod that mounts it, also one that is over. */
const PVC_PROTECTION = 'kubernetes.io/pvc-protection';

type RebindContext = Pick<ControllerContext, 'client' | 'caches'>;

/** The volume that is being handed over to a claim, while it is. */
export function promisedVolume(context: RebindContext, target: PersistentVolumeClaim): PersistentVolume | undefined {
  return context.caches.volumes.byIndex(byPromise, target.metadata?.uid ?? '')[0];
}

/**
 * Takes the next step of handing the working claim's volume to the target claim. To be called again whenever one of
 * the three changes, until it answers `done`.
 *
 * @returns what is being waited for, and the milliseconds until the next look should no watch come first; or `done`
 */
export async function rebindVolume(
  context: RebindContext,
  target: PersistentVolumeClaim,
  workingKey: Key,
): Promise<'done' | { readonly waitingFor: string; readonly after?: number }> {
  const found = context.caches.claims.get(workingKey);
  const working = found && isMadeFor(found, target.metadata?.uid) ? found : undefined;
  const volume =
    promisedVolume(context, target) ?? volumeOf(context, working) ?? (isBound(target) && volumeOf(context, target));
  // A volume that is nobody's yet wakes nobody when it comes.
  if (!volume) return { waitingFor: `the volume of claim ${keyToString(workingKey)}`, after: LOOK_AGAIN_MILLISECONDS };
  const step = nextRebindStep({
    target: { uid: target.metadata?.uid ?? '', bound: isBound(target), volumeName: target.spec?.volumeName },
    working: working && {
      uid: working.metadata?.uid ?? '',
      deleting: working.metadata?.deletionTimestamp !== undefined,
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
  await take(step, context, { target, working, volume });
  switch (step.do) {
    case 'nothing':
      return 'done';
    case 'wait':
      return { waitingFor: step.for };
    default:
      return { waitingFor: `volume ${volume.metadata?.name}, ${UNDER_WAY[step.do]}` };
  }
}

/** What goes on once a step has been taken, until a watch shows its effect. */
const UNDER_WAY = {
  retain: 'which is set to be retained',
  'delete-working-claim': 'which is being freed of the working claim',
  'point-at-target': 'which is being bound to the claim',
  'restore-policy': 'which gets its reclaim policy back',
} as const;

/**
 * Requires that a claim which is to be filled names no volume yet. One that was bound still does, whatever its status says; and one whose
 * user named a volume cannot be given another.
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
 * Gives a promised volume its reclaim policy back, so that it goes the way of its class when the target is deleted; one that was made for the
 * working claim, and is still its, has never been a user's, and goes with that. Kubernetes makes a volume
 * whose claim names another one free for the next claim of that name: it is given its claim's uid again, so that nobody else gets it.
 */
export async function releasePromise(context: RebindContext, volume: PersistentVolume): Promise<void> {
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
        // The claim may be told by it from one that Kubernetes has bound to a volume with other data.
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
  // The resourceVersion makes a decision on an outdated cache fail instead of acting on it.
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

/**
 * Deletes a working claim without waiting for the pod that filled it, which is over and would hold it for seconds. As long as it were there, the
 * volume controller of Kubernetes would say of it, in a Warning, that two claims are bound to one volume.
 */
async function deleteAtOnce({ client }: RebindContext, working: PersistentVolumeClaim): Promise<void> {
  const { uid, finalizers = [] } = working.metadata ?? {};
  await client.delete(persistentVolumeClaims, keyOf(working), { uid });
  try {
    const kept = finalizers.filter((name) => name !== PVC_PROTECTION);
    await client.mergePatch(persistentVolumeClaims, keyOf(working), { metadata: { uid, finalizers: kept } });
  } catch (error) {
    // It has gone by itself.
    if (!isNotFound(error)) throw error;
  }
}

/** The resourceVersion makes a decision on an outdated cache fail instead of acting on it. */
async function pointAt(
  { client }: RebindContext,
  volume: PersistentVolume,
  { metadata }: PersistentVolumeClaim,
): Promise<void> {
  const { name, namespace, uid } = metadata ?? {};
  await client.mergePatch(persistentVolumes, keyOf(volume), {
    metadata: { resourceVersion: volume.metadata?.resourceVersion },
    spec: {
      claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid, resourceVersion: null },
    },
  });
}

function volumeOf(context: RebindContext, claim: PersistentVolumeClaim | undefined): PersistentVolume | undefined {
  const name = claim?.spec?.volumeName;
  return name ? context.caches.volumes.get({ namespace: '', name }) : undefined;
}
