import {
  type PersistentVolume,
  type PersistentVolumeClaim,
  persistentVolumeClaims,
  type Pod,
  pods,
  secrets,
} from '../../kube/builtin-resources.ts';
import type { Reconciler, Result } from '../../kube/controller.ts';
import { isBeingDeleted } from '../../kube/finalizers.ts';
import { keyOf, keyToString, type ObjectKey } from '../../kube/key.ts';
import type { KubeObject } from '../../kube/resource.ts';
import type { VolumeSnapshot } from '../../kube/snapshot-resources.ts';
import { transferSecretName } from '../../protocol/object-names.ts';
import { deleteMountingPod, deleteTemporary } from '../claims/population/delete-temporary.ts';
import { areSettled, SETTLING_MILLISECONDS } from '../claims/population/settled.ts';
import { byPromiseKey } from '../claims/rebind/promises.ts';
import { releasePromise } from '../claims/rebind/rebind-volume.ts';
import { deleteOwn } from '../objects/delete-own.ts';
import { promisedToAnnotation, retainedForAnnotation, workForAnnotation } from '../objects/internal-annotations.ts';
import { isTemporary } from '../objects/made-for.ts';
import { byRetainingClaimKey, byTargetKey } from '../objects/work-index.ts';
import type { ControllerContext } from '../runtime/context.ts';

const LOOK_AGAIN_MILLISECONDS = 500;

interface Orphans {
  readonly claims: readonly PersistentVolumeClaim[];
  readonly snapshots: readonly VolumeSnapshot[];
  readonly pods: readonly Pod[];
  readonly volumes: readonly PersistentVolume[];
}

/**
 * Removes what was made for a claim that is gone. As a rule, the claim's finalizer does that; but the claim's author
 * may remove the finalizer, and the latest objects may not have been known when the claim was deleted. Owner references
 * do not help, because a claim cannot own objects in another namespace.
 */
export class OrphanReconciler implements Reconciler {
  readonly name = 'orphan';
  readonly #context: ControllerContext;

  constructor(context: ControllerContext) {
    this.#context = context;
  }

  /**
   * Removes the orphans of a claim.
   *
   * @param key of the claim that the objects were made for
   */
  async reconcile(key: ObjectKey): Promise<Result> {
    const { caches, client } = this.#context;
    const known = caches.claims.get(key)?.metadata?.uid;
    if (isEmpty(this.#orphansOf(key, known))) return undefined;
    // The cache may not have the claim yet.
    const { uid } = (await client.get(persistentVolumeClaims, key))?.metadata ?? {};
    const orphans = this.#orphansOf(key, uid);
    if (isEmpty(orphans)) return undefined;
    await Promise.all(orphans.volumes.map((volume) => releasePromise(this.#context, volume)));
    await Promise.all(orphans.pods.map((pod) => this.#removePod(pod)));
    await Promise.all(orphans.claims.map((claim) => deleteMountingPod(this.#context, claim, workOf(claim))));
    if (this.#mayStillSettle(orphans) && !(await areSettled(this.#context, orphans.claims, orphans.snapshots))) {
      return { requeueAfter: LOOK_AGAIN_MILLISECONDS };
    }
    const deletion = await deleteTemporary(this.#context, orphans.claims, orphans.snapshots);
    return deletion === 'waiting' ? { requeueAfter: LOOK_AGAIN_MILLISECONDS } : undefined;
  }

  #orphansOf(key: ObjectKey, uid: string | undefined): Orphans {
    const { caches } = this.#context;
    const index = keyToString(key);
    const isOrphan = (object: KubeObject) => workOf(object) !== '' && workOf(object) !== uid && !isBeingDeleted(object);
    return {
      claims: caches.claims.byIndex(byTargetKey, index).filter(isOrphan),
      snapshots: caches.snapshots.byIndex(byTargetKey, index).filter(isTemporary).filter(isOrphan),
      // Pods with an owner are garbage collected.
      pods: [
        ...caches.pods
          .byIndex(byTargetKey, index)
          .filter((pod) => isOrphan(pod) && !pod.metadata?.ownerReferences?.length && !isRetained(pod)),
        ...caches.pods
          .byIndex(byRetainingClaimKey, index)
          .filter((pod) => workOf(pod) !== '' && retainedForUid(pod) !== uid && !isBeingDeleted(pod)),
      ],
      volumes: caches.volumes
        .byIndex(byPromiseKey, index)
        .filter(({ metadata }) => metadata?.annotations?.[promisedToAnnotation] !== uid),
    };
  }

  /** Removes a pod at one end of a copy between namespaces, and the keys that were made for it. */
  async #removePod(pod: Pod): Promise<void> {
    const { client } = this.#context;
    await client.delete(pods, keyOf(pod), { uid: pod.metadata?.uid });
    await deleteOwn(client, secrets, { namespace: keyOf(pod).namespace, name: transferSecretName(workOf(pod)) });
  }

  #mayStillSettle({ claims, snapshots }: Orphans): boolean {
    const made = [...claims, ...snapshots].map(({ metadata }) => Date.parse(metadata?.creationTimestamp ?? ''));
    return made.length > 0 && this.#context.now() - Math.max(...made) < SETTLING_MILLISECONDS;
  }
}

function workOf({ metadata }: KubeObject): string {
  return metadata?.annotations?.[workForAnnotation] ?? '';
}

function retainedForUid({ metadata }: Pod): string | undefined {
  return metadata?.annotations?.[retainedForAnnotation];
}

/**
 * Reports whether a pod stays, with its log, until the claim that it is retained for is deleted. A container is told to
 * have ended seconds before its pod is.
 */
function isRetained(pod: Pod): boolean {
  const ended = (pod.status?.containerStatuses ?? []).some(({ state }) => state?.terminated?.exitCode === 0);
  return retainedForUid(pod) !== undefined && (ended || pod.status?.phase === 'Succeeded');
}

function isEmpty({ claims, snapshots, pods: found, volumes }: Orphans): boolean {
  return [claims, snapshots, found, volumes].every(({ length }) => length === 0);
}
