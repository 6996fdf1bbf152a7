import { stateAnnotation } from '../../../api/annotations.ts';
import type { ClonePhase } from '../../../api/clone.ts';
import { finalizer } from '../../../api/finalizers.ts';
import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import { TerminalError, WaitingError } from '../../../kube/errors.ts';
import { hasFinalizer } from '../../../kube/finalizers.ts';
import { keyOf, keyToString } from '../../../kube/key.ts';
import { cloneBegunAnnotation, handedToAnnotation, promisedToAnnotation } from '../../objects/internal-annotations.ts';
import type { Caches } from '../../runtime/caches.ts';
import { isBound } from '../bound.ts';

const LOOK_AGAIN_MILLISECONDS = 500;

/** The phases in which a clone of CDI is bound. */
const HANDED_OVER_BY_CDI: readonly string[] = ['Rebind', 'Succeeded'] satisfies ClonePhase[];

type VolumeCache = Pick<Caches, 'volumes'>;

/**
 * Returns whether the volume of a populated claim is its own, and so may hold its data. Kubernetes binds a claim that
 * is still to be populated to any available volume that fits, whatever its contents are. A claim without the
 * populators' finalizer was released before, or was never protected, and is trusted.
 *
 * @returns `unknown` while the cache does not have the volume yet
 */
export function originOfVolume({ volumes }: VolumeCache, claim: PersistentVolumeClaim): 'own' | 'foreign' | 'unknown' {
  if (!isBound(claim) || !hasFinalizer(claim, finalizer.clonePopulator) || isClonedByCdi(claim)) return 'own';
  const volume = volumes.get({ namespace: '', name: claim.spec?.volumeName ?? '' });
  if (!volume) return 'unknown';
  const { annotations } = volume.metadata ?? {};
  const uids = [annotations?.[handedToAnnotation], annotations?.[promisedToAnnotation]];
  return uids.includes(claim.metadata?.uid) ? 'own' : 'foreign';
}

/** Whether CDI has handed a volume over to a claim, but has not released it: Diskpress would have begun the clone. */
function isClonedByCdi({ metadata }: PersistentVolumeClaim): boolean {
  const { [stateAnnotation.clonePhase]: phase = '', [cloneBegunAnnotation]: begunFor } = metadata?.annotations ?? {};
  return begunFor === undefined && HANDED_OVER_BY_CDI.includes(phase);
}

/**
 * Requires that a bound target claim has the volume that was handed over to it.
 *
 * @throws TerminalError ErrClaimNotValid where Kubernetes has bound it to another volume
 * @throws WaitingError while that is not known
 */
export function requireOwnVolume(caches: VolumeCache, target: PersistentVolumeClaim): void {
  const origin = originOfVolume(caches, target);
  if (origin === 'own') return;
  const [claim, volume] = [keyToString(keyOf(target)), target.spec?.volumeName];
  if (origin === 'unknown') {
    const message = `Volume "${volume}" of claim ${claim} is not known yet`;
    throw new WaitingError('Provisioning', message, { after: LOOK_AGAIN_MILLISECONDS });
  }
  throw new TerminalError(
    'ErrClaimNotValid',
    `Kubernetes has bound claim ${claim} to volume "${volume}", which was available and fits it, before anything was ` +
      'brought into the claim: the volume holds what it held before. Reserve that volume for its own claim, by its ' +
      'claimRef, or delete it; then delete this DataVolume or claim and create it again',
  );
}
