import type { DataVolumeSpec } from '../../api/data-volume.ts';
import { isQuantity, parseQuantity, type Quantity } from '../../api/quantity.ts';
import type { ClaimPropertySet, StorageProfile } from '../../api/storage-profile.ts';
import type { PersistentVolume } from '../../kube/builtin-resources.ts';
import { WaitingError } from '../../kube/errors.ts';
import type { ObjectKey } from '../../kube/key.ts';
import type { Caches } from '../runtime/caches.ts';

const LOOK_AGAIN_MILLISECONDS = 5_000;

/**
 * Returns the profile that completes a DataVolume's `storage`: the StorageProfile of its class. A class that is only a
 * name on static volumes has no StorageProfile; its profile is derived from those volumes, free and sufficiently large
 * ones first.
 *
 * @param key of the DataVolume
 * @throws WaitingError ErrClaimNotValid where access modes are missing, and no such volume provides them
 */
export function profileOf(
  { storageProfiles, storageClasses, volumes }: Pick<Caches, 'storageProfiles' | 'storageClasses' | 'volumes'>,
  storageClassName: string,
  { storage }: DataVolumeSpec,
  key: ObjectKey,
): StorageProfile | undefined {
  const name = { namespace: '', name: storageClassName };
  const isOnlyName = storageClassName === '' || storageClasses.get(name) === undefined;
  if (!isOnlyName || !storage) return storageProfiles.get(name);
  const claimPropertySets = volumes
    .list()
    .filter(({ spec }) => (spec?.storageClassName ?? '') === storageClassName && isFree(spec, key))
    .sort(bySuitability(storage.resources?.requests?.['storage']))
    .map(
      ({ spec }) =>
        ({ accessModes: spec?.accessModes, volumeMode: spec?.volumeMode ?? 'Filesystem' }) as ClaimPropertySet,
    );
  if (claimPropertySets.length === 0 && !storage.accessModes?.length) throw withoutVolumes(storageClassName);
  return {
    apiVersion: 'cdi.kubevirt.io/v1beta1',
    kind: 'StorageProfile',
    metadata: { name: storageClassName },
    spec: {},
    status: { claimPropertySets },
  };
}

function isFree(spec: PersistentVolume['spec'], key: ObjectKey): boolean {
  const { claimRef } = spec ?? {};
  return !claimRef || (!claimRef.uid && claimRef.namespace === key.namespace && claimRef.name === key.name);
}

/** Orders volumes: the smallest one that is large enough first, then the others from the largest down. */
function bySuitability(requested: Quantity | undefined) {
  const bytes = requested !== undefined && isQuantity(requested) ? parseQuantity(requested) : 0;
  const sizeOf = ({ spec }: PersistentVolume) => parseQuantity(spec?.capacity?.['storage'] ?? '0');
  return (one: PersistentVolume, other: PersistentVolume): number => {
    const [a, b] = [sizeOf(one), sizeOf(other)];
    if (a >= bytes !== b >= bytes) return a >= bytes ? -1 : 1;
    return a >= bytes ? a - b : b - a;
  };
}

function withoutVolumes(storageClassName: string): WaitingError {
  const which = storageClassName === '' ? 'no class' : `class "${storageClassName}", which is only a name`;
  return new WaitingError(
    'ErrClaimNotValid',
    `spec.storage has no accessModes, and there is no free PersistentVolume of ${which}, to tell them; make one, or make the DataVolume anew with accessModes`,
    { after: LOOK_AGAIN_MILLISECONDS },
  );
}
