import type { PersistentVolume, PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import type { Reconciler, Result } from '../../kube/controller.ts';
import { ApiError } from '../../kube/errors.ts';
import { isBeingDeleted } from '../../kube/finalizers.ts';
import { keyOf, keyToString, type ObjectKey } from '../../kube/key.ts';
import { defineIndex } from '../../kube/object-index.ts';
import { isTemporaryClaimName } from '../../protocol/object-names.ts';
import { releaseVolume } from '../claims/disposal/release-volume.ts';
import { staysBehind } from '../objects/evidence.ts';
import { workForAnnotation } from '../objects/internal-annotations.ts';
import type { ControllerContext } from '../runtime/context.ts';

/** Number of deleted temporary claims whose UIDs are remembered. */
const REMEMBERED_CLAIMS = 2_000;

/** Volumes by the uid of the temporary claim that each was made for. */
const byTemporaryClaim = defineIndex<PersistentVolume>(({ spec }) => {
  const { name = '', uid } = spec?.claimRef ?? {};
  return uid !== undefined && isTemporaryClaimName(name) ? [uid] : [];
});

/**
 * Ensures that the volumes of temporary claims are deleted with them, even if their class would retain the volumes. It
 * does so from the creation of a volume until it is rebound, because the deletion of a namespace gives no further
 * chance. A provisioner that was already at work when its claim was deleted creates the volume afterwards.
 */
export class TemporaryVolumeReconciler implements Reconciler {
  readonly name = 'temporary-volume';
  readonly #context: Pick<ControllerContext, 'client' | 'caches' | 'events'>;
  /** UIDs of temporary claims that are being or have been deleted, the oldest first. */
  readonly #leaving = new Set<string>();

  constructor(context: Pick<ControllerContext, 'client' | 'caches' | 'events'>) {
    this.#context = context;
  }

  /**
   * Returns the key of the volume that would outlive a claim that has changed, or has gone. One that the cache does not
   * have yet is found by {@link candidate}. It must be called for every change, because this is how it learns which
   * claims are deleted.
   */
  volumeOf(claim: PersistentVolumeClaim): ObjectKey[] {
    if (!isTemporary(claim)) return [];
    const { claims, volumes } = this.#context.caches;
    const { uid = '' } = claim.metadata ?? {};
    const isGone = claims.get(keyOf(claim))?.metadata?.uid !== uid;
    if (isBeingDeleted(claim) || isGone) this.#remember(uid);
    return volumes
      .byIndex(byTemporaryClaim, uid)
      .filter((volume) => staysBehind(volume, uid))
      .map(keyOf);
  }

  /** Returns the key of a volume that may have to be released. */
  candidate(volume: PersistentVolume): ObjectKey[] {
    const { claimRef } = volume.spec ?? {};
    const isConcerned = isTemporaryClaimName(claimRef?.name ?? '') && staysBehind(volume, claimRef?.uid);
    return isConcerned ? [keyOf(volume)] : [];
  }

  /**
   * Releases a volume that would outlive its temporary claim.
   *
   * @param key of a volume
   */
  async reconcile(key: ObjectKey): Promise<Result> {
    const { caches, client } = this.#context;
    const volume = caches.volumes.get(key);
    const { uid } = volume?.spec?.claimRef ?? {};
    if (volume && staysBehind(volume, uid) && this.#isOfTemporary(volume)) await releaseVolume(client, volume);
    return undefined;
  }

  /** Reports the failure on the volume, which is what an administrator finds. */
  async failed(key: ObjectKey, failure: Error): Promise<void> {
    const volume = this.#context.caches.volumes.get(key);
    if (!volume || !(failure instanceof ApiError)) return;
    const claim = { name: volume.spec?.claimRef?.name ?? '', namespace: volume.spec?.claimRef?.namespace ?? '' };
    this.#context.events.event(
      { apiVersion: 'v1', kind: 'PersistentVolume', metadata: { ...keyOf(volume), uid: volume.metadata?.uid } },
      {
        type: 'Warning',
        reason: 'VolumeRetained',
        message: `It was made for the temporary claim ${keyToString(claim)} and is to go with it, but its reclaim policy could not be set to Delete: ${failure.message}`,
      },
    );
  }

  #isOfTemporary({ spec }: PersistentVolume): boolean {
    const { name = '', namespace = '', uid = '' } = spec?.claimRef ?? {};
    if (this.#leaving.has(uid)) return true;
    const claim = this.#context.caches.claims.get({ namespace, name });
    return claim?.metadata?.uid === uid && isTemporary(claim);
  }

  #remember(uid: string): void {
    this.#leaving.add(uid);
    const [oldest] = this.#leaving;
    if (this.#leaving.size > REMEMBERED_CLAIMS && oldest !== undefined) this.#leaving.delete(oldest);
  }
}

/** Reports whether a claim is temporary, judging by its mark, which nobody else may write. */
function isTemporary({ metadata }: PersistentVolumeClaim): boolean {
  return metadata?.annotations?.[workForAnnotation] !== undefined && isTemporaryClaimName(metadata.name ?? '');
}
