import { type PersistentVolumeClaim, type Pod, pods } from '../../../kube/builtin-resources.ts';
import { WaitingError } from '../../../kube/errors.ts';
import { isBeingDeleted } from '../../../kube/finalizers.ts';
import { keyOf, keyToString } from '../../../kube/key.ts';
import type { KubeObject } from '../../../kube/resource.ts';
import { copySourcePodName } from '../../../protocol/object-names.ts';
import { byCloneOfCdi, isLeftByCdi, isReaderOfCdi, isWriterOfCdi } from '../../objects/left-by-cdi.ts';
import type { ControllerContext } from '../../runtime/context.ts';
import { byMountedClaim } from '../mounted-claims.ts';
import { deleteTemporary } from './delete-temporary.ts';

const LOOK_AGAIN_MILLISECONDS = 1_000;

type LeftContext = Pick<ControllerContext, 'client' | 'caches' | 'now'>;

/**
 * Removes what CDI has made for the clone into a claim, so that the clone can begin anew under the same names.
 *
 * @throws WaitingError PodReplaced while something of it is there; Provisioning while the volume with the data is being
 * bound to the claim
 */
export async function removeCloneOfCdi(context: LeftContext, target: PersistentVolumeClaim): Promise<void> {
  const { caches } = context;
  const uid = target.metadata?.uid ?? '';
  const claims = caches.claims.byIndex(byCloneOfCdi, uid);
  const snapshots = caches.snapshots.byIndex(byCloneOfCdi, uid);
  if (claims.length === 0 && snapshots.length === 0) return;
  if (claims.some((claim) => isHandedOver(context, claim, uid)))
    throw waiting('Provisioning', target, 'has just completed');
  if ((await removePodsOfCdi(context, claims)) === 'gone') {
    const remaining = [claims.filter(isStaying), snapshots.filter(isStaying)] as const;
    await deleteTemporary(context, ...remaining);
  }
  throw waiting('PodReplaced', target, 'has begun, which is removed, and begun anew');
}

/** Deletes the pods at both ends of the copies into those of the claims that are CDI's. */
export async function removePodsOfCdi(
  context: Pick<LeftContext, 'client' | 'caches'>,
  claims: readonly PersistentVolumeClaim[],
): Promise<'gone' | 'going'> {
  const left = claims.filter(isLeftByCdi).flatMap((claim) => podsOf(context, claim));
  for (const pod of left.filter(isStaying)) {
    await context.client.delete(pods, keyOf(pod), { uid: pod.metadata?.uid });
  }
  return left.length === 0 ? 'gone' : 'going';
}

function isStaying(object: KubeObject): boolean {
  return !isBeingDeleted(object);
}

/** Whether the volume of a working claim has already been given to the target claim, which is about to be bound. */
function isHandedOver({ caches }: LeftContext, claim: PersistentVolumeClaim, targetUid: string): boolean {
  const volume = caches.volumes.get({ namespace: '', name: claim.spec?.volumeName ?? '' });
  return volume?.spec?.claimRef?.uid === targetUid;
}

/** Returns the pods at both ends of the copy into a working claim. */
function podsOf({ caches }: Pick<LeftContext, 'caches'>, claim: PersistentVolumeClaim): readonly Pod[] {
  const { namespace } = keyOf(claim);
  const source = caches.pods.get({ namespace, name: copySourcePodName(claim.metadata?.uid ?? '') });
  return [
    ...caches.pods.byIndex(byMountedClaim, keyToString(keyOf(claim))).filter(isWriterOfCdi),
    ...(source && isReaderOfCdi(source) ? [source] : []),
  ];
}

function waiting(reason: string, target: PersistentVolumeClaim, what: string): WaitingError {
  return new WaitingError(reason, `CDI ${what} the clone into claim ${keyToString(keyOf(target))}`, {
    after: LOOK_AGAIN_MILLISECONDS,
  });
}
