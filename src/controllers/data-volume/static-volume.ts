import { stateAnnotation, userAnnotation } from '../../api/annotations.ts';
import type { DataVolume } from '../../api/data-volume.ts';
import type { StorageSpec } from '../../api/persistent-volume-claim-spec.ts';
import { parseQuantity } from '../../api/quantity.ts';
import type { PersistentVolume, PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import { WaitingError } from '../../kube/errors.ts';
import { isBeingDeleted } from '../../kube/finalizers.ts';
import { keyOf, keyToString } from '../../kube/key.ts';
import type { Caches } from '../caches.ts';
import { claimSpecOf } from './claim-spec.ts';
import { claimOf } from './objects.ts';
import { profileOf } from './storage-profile.ts';

type ClaimSpec = NonNullable<PersistentVolumeClaim['spec']>;

const LOOK_AGAIN_MILLISECONDS = 5_000;

/**
 * The volume that somebody has reserved for the DataVolume's claim, with data that is to be kept, where the DataVolume asks to look for one.
 * A volume that a claim of that name had before, and that is released now, is none.
 */
export function reservedVolume(
  { volumes }: Pick<Caches, 'volumes'>,
  { metadata }: DataVolume,
): PersistentVolume | undefined {
  if (metadata.annotations?.[userAnnotation.checkStaticVolume] === undefined) return undefined;
  return volumes.list().find((volume) => {
    const { namespace, name, uid } = volume.spec?.claimRef ?? {};
    return namespace === metadata.namespace && name === metadata.name && !uid && !isBeingDeleted(volume);
  });
}

/**
 * The DataVolume's claim, to be bound to the volume that is reserved for it: nothing fills it. What the DataVolume leaves open of class and
 * size is as the volume has it.
 *
 * @throws WaitingError ErrIncompatiblePVC where the claim does not fit: whatever else it were bound to, it would not be the data
 */
export function claimOfVolume(
  caches: Pick<Caches, 'storageProfiles' | 'storageClasses' | 'volumes'>,
  dataVolume: DataVolume,
  volume: PersistentVolume,
): PersistentVolumeClaim {
  const key = keyOf(dataVolume);
  const { storage, pvc, contentType } = dataVolume.spec;
  const storageClassName = (pvc ?? storage)?.storageClassName ?? volume.spec?.storageClassName ?? '';
  const profile = profileOf(caches, storageClassName, dataVolume.spec, key);
  const spec = claimSpecOf(
    { contentType, pvc, storage: storage && withSize(storage, volume) },
    {
      storageClassName,
      profile,
      // The volume is as large as it is: there is nothing to make room for.
      filesystemOverhead: 0,
      source: undefined,
    },
  );
  delete spec.dataSource;
  delete spec.dataSourceRef;
  const misfit = misfitOf(spec, volume);
  if (misfit) {
    throw new WaitingError(
      'ErrIncompatiblePVC',
      `PersistentVolume "${volume.metadata?.name}" is reserved for claim ${keyToString(key)} and does not fit: ${misfit}; change the volume, or make the DataVolume anew`,
      { after: LOOK_AGAIN_MILLISECONDS },
    );
  }
  return claimOf(
    dataVolume,
    { ...spec, volumeName: volume.metadata?.name },
    { [stateAnnotation.populatedFor]: key.name },
  );
}

/** Where the DataVolume leaves the size open, it is the volume's. */
function withSize(storage: StorageSpec, { spec }: PersistentVolume): StorageSpec {
  const requests = { storage: spec?.capacity?.['storage'] ?? '0', ...storage.resources?.requests };
  return { ...storage, resources: { ...storage.resources, requests } };
}

function misfitOf(claim: ClaimSpec, { spec = {} }: PersistentVolume): string | undefined {
  const [has, asked] = [spec.capacity?.['storage'] ?? '0', claim.resources?.requests?.['storage'] ?? '0'];
  if (parseQuantity(has) < parseQuantity(asked)) return `it has ${has}, and the claim requests ${asked}`;
  const [mode, askedMode] = [spec.volumeMode ?? 'Filesystem', claim.volumeMode ?? 'Filesystem'];
  if (mode !== askedMode) return `it is a ${mode} volume, and the claim asks for ${askedMode}`;
  const [storageClass, askedClass] = [spec.storageClassName ?? '', claim.storageClassName ?? ''];
  if (storageClass !== askedClass) return `its class is "${storageClass}", and the claim's "${askedClass}"`;
  const missing = claim.accessModes?.find((accessMode) => !spec.accessModes?.includes(accessMode));
  return missing ? `it has no access mode ${missing}` : undefined;
}
