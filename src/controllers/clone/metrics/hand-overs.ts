import { stateAnnotation } from '../../../api/annotations.ts';
import { parseQuantity } from '../../../api/quantity.ts';
import type { PersistentVolume, PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import { keyFromString } from '../../../kube/key.ts';
import { populatedFrom } from '../../claims/population/populated-from.ts';
import { promisedToAnnotation, promisedToClaimAnnotation } from '../../objects/internal-annotations.ts';
import type { Caches } from '../../runtime/caches.ts';

/**
 * Remembers the claims to which the volume of a clone has been handed over. The evidence is on the volumes, which the
 * controllers write and users of a namespace cannot. Hand-overs that ended while no process was running are not
 * remembered.
 */
export class HandOvers {
  readonly #caches: Pick<Caches, 'claims' | 'volumes'>;
  /** Bytes, by the uid of the claim. */
  readonly #capacities = new Map<string, number>();

  constructor(caches: Pick<Caches, 'claims' | 'volumes'>) {
    this.#caches = caches;
    caches.volumes.onChange(({ type, object }) => {
      if (type !== 'deleted') this.#note(object);
    });
    caches.claims.onChange(({ type, object }) => {
      const isOver = object.metadata?.annotations?.[stateAnnotation.clonePhase] === 'Succeeded';
      if (type === 'deleted' || isOver) this.#capacities.delete(object.metadata?.uid ?? '');
    });
  }

  /**
   * Returns the capacity in bytes of the volume that was handed over to a claim, and forgets it; undefined where there
   * was none, or it has been taken already.
   */
  take(claim: PersistentVolumeClaim): number | undefined {
    const uid = claim.metadata?.uid ?? '';
    const capacity = this.#capacities.get(uid);
    this.#capacities.delete(uid);
    return capacity;
  }

  /** Returns the capacity in bytes of the volume that a claim is bound to; 0 where it is unknown. */
  capacityOf(claim: PersistentVolumeClaim): number {
    const volume = this.#caches.volumes.get({ namespace: '', name: claim.spec?.volumeName ?? '' });
    return volume ? bytesOf(volume) : 0;
  }

  #note(volume: PersistentVolume): void {
    const { [promisedToAnnotation]: uid, [promisedToClaimAnnotation]: key } = volume.metadata?.annotations ?? {};
    if (!uid || !key) return;
    const claim = this.#caches.claims.get(keyFromString(key));
    // The cache may list the volumes before the claims.
    const isClone = !claim || (claim.metadata?.uid === uid && populatedFrom(claim, 'VolumeCloneSource') !== undefined);
    if (isClone) this.#capacities.set(uid, bytesOf(volume));
  }
}

function bytesOf({ spec }: PersistentVolume): number {
  return Math.max(0, parseQuantity(spec?.capacity?.['storage'] ?? '0'));
}
