import { stateAnnotation, userAnnotation } from '../../api/annotations.ts';
import type { DataVolume } from '../../api/data-volume.ts';
import { parseQuantity } from '../../api/quantity.ts';
import { controllerOf, ownerReference } from '../../kube/apply.ts';
import { type PersistentVolumeClaim, persistentVolumeClaims } from '../../kube/builtin-resources.ts';
import { WaitingError } from '../../kube/errors.ts';
import { isBeingDeleted } from '../../kube/finalizers.ts';
import { keyOf } from '../../kube/key.ts';
import type { ControllerContext } from '../runtime/context.ts';
import { volumeModeOf } from '../transfers/transfer-target.ts';

const LOOK_AGAIN_MILLISECONDS = 2_000;

/**
 * Adopts an existing claim with the DataVolume's name where that was asked for: by an annotation of the DataVolume, by
 * the feature gate, or by the claim itself, whose annotation says that it was populated for this DataVolume. The
 * claim's data is left as it is.
 *
 * @throws WaitingError ErrResourceExists where the claim may not be adopted; ErrIncompatiblePVC where it differs from
 *   what the DataVolume asks for
 */
export async function adoptClaim(
  { client, config }: Pick<ControllerContext, 'client' | 'config'>,
  dataVolume: DataVolume,
  claim: PersistentVolumeClaim,
): Promise<void> {
  requireAdoptable(dataVolume, claim, config.hasFeatureGate('DataVolumeClaimAdoption'));
  const { name = '', uid = '' } = dataVolume.metadata;
  const { resourceVersion, ownerReferences = [] } = claim.metadata ?? {};
  await client.mergePatch(persistentVolumeClaims, keyOf(claim), {
    metadata: {
      resourceVersion,
      ownerReferences: [...ownerReferences, ownerReference(dataVolume, { controller: true })],
      annotations: { [stateAnnotation.createdForDataVolume]: uid, [stateAnnotation.populatedFor]: name },
    },
  });
}

/** Applies the rule of {@link adoptClaim}. */
export function requireAdoptable(dataVolume: DataVolume, claim: PersistentVolumeClaim, byFeatureGate: boolean): void {
  const name = dataVolume.metadata.name ?? '';
  const asked = dataVolume.metadata.annotations?.[userAnnotation.allowClaimAdoption];
  const allowed =
    claim.metadata?.annotations?.[stateAnnotation.populatedFor] === name ||
    (asked === undefined ? byFeatureGate : asked === 'true');
  if (!allowed || controllerOf(claim) || isBeingDeleted(claim)) {
    const adoptable = !controllerOf(claim) && !isBeingDeleted(claim);
    throw inTheWay(
      'ErrResourceExists',
      `PersistentVolumeClaim "${name}" exists already and does not belong to this DataVolume; delete or rename one of the two` +
        (adoptable
          ? `, or annotate the DataVolume with ${userAnnotation.allowClaimAdoption}: "true" to take it over`
          : ''),
    );
  }
  const { volumeMode, resources } = dataVolume.spec.pvc ?? dataVolume.spec.storage ?? {};
  if (volumeMode !== undefined && volumeMode !== 'FromStorageProfile' && volumeMode !== volumeModeOf(claim)) {
    throw inTheWay(
      'ErrIncompatiblePVC',
      `PersistentVolumeClaim "${name}" cannot be taken over: it is a ${volumeModeOf(claim)} volume, and the DataVolume asks for ${volumeMode}`,
    );
  }
  const has = claim.status?.capacity?.['storage'] ?? claim.spec?.resources?.requests?.['storage'] ?? '0';
  const wanted = resources?.requests?.['storage'];
  if (wanted !== undefined && parseQuantity(wanted) > parseQuantity(has)) {
    throw inTheWay(
      'ErrIncompatiblePVC',
      `PersistentVolumeClaim "${name}" cannot be taken over: it has ${has}, and the DataVolume asks for ${wanted}; let the claim grow`,
    );
  }
}

function inTheWay(reason: string, message: string): WaitingError {
  return new WaitingError(reason, message, { after: LOOK_AGAIN_MILLISECONDS });
}
