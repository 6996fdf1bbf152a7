import { stateAnnotation, userAnnotation } from '../../api/annotations.ts';
import type { DataVolume } from '../../api/data-volume.ts';
import type { StorageSpec } from '../../api/persistent-volume-claim-spec.ts';
import { parseQuantity } from '../../api/quantity.ts';
import type { PersistentVolume, PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import { WaitingError } from '../../kube/errors.ts';
import { isBeingDeleted } from '../../kube/finalizers.ts';
import { keyOf } from '../../kube/key.ts';
import { claimSpecOf } from '../../rendering/claim-spec.ts';
import type { Caches } from '../runtime/caches.ts';
import { claimOf } from './objects.ts';
import { profileOf } from './storage-profile.ts';

type ClaimSpec = NonNullable<PersistentVolumeClaim['spec']>;

const LOOK_AGAIN_MILLISECONDS = 5_000;

/**
 * Returns the volumes that are reserved for the DataVolume's claim, with data to be kept, where the DataVolume asks to
 * look for them. A released volume that an earlier claim of the same name was bound to does not count.
 */
export function reservedVolumes({ volumes }: Pick<Caches, 'volumes'>, { metadata }: DataVolume): PersistentVolume[] {
  if (metadata.annotations?.[userAnnotation.checkStaticVolume] === undefined) return [];
  return volumes.list().filter((volume) => {
    const { namespace, name, uid } = volume.spec?.claimRef ?? {};
    return namespace === metadata.namespace && name === metadata.name && !uid && !isBeingDeleted(volume);
  });
}

/**
 * Returns the DataVolume's claim, which will be bound to a volume reserved for it and so is not populated. The storage
 * class and the size default to those of the volume.
 *
 * @param reserved at least one volume; the first that fits is taken
 * @throws WaitingError ErrIncompatiblePVC where none fits, because any other volume would not hold the reserved data
 */
export function claimOfVolume(
  caches: Pick<Caches, 'storageProfiles' | 'storageClasses' | 'volumes'>,
  dataVolume: DataVolume,
  reserved: readonly PersistentVolume[],
): PersistentVolumeClaim {
  const { name, namespace } = keyOf(dataVolume);
  const misfits: string[] = [];
  for (const volume of reserved) {
    const spec = claimSpecFor(caches, dataVolume, volume);
    const misfit = misfitOf(spec, volume);
    if (!misfit) {
      const bound = { ...spec, volumeName: volume.metadata?.name };
      return claimOf(dataVolume, bound, { [stateAnnotation.populatedFor]: name });
    }
    misfits.push(
      `PersistentVolume "${volume.metadata?.name}" is reserved for claim ${namespace}/${name} and does not fit: ${misfit}`,
    );
  }
  throw new WaitingError(
    'ErrIncompatiblePVC',
    `${misfits.join('; ')}; change the volume, or make the DataVolume anew`,
    { after: LOOK_AGAIN_MILLISECONDS },
  );
}

function claimSpecFor(
  caches: Parameters<typeof claimOfVolume>[0],
  dataVolume: DataVolume,
  volume: PersistentVolume,
): ClaimSpec {
  const { storage, pvc, contentType } = dataVolume.spec;
  const storageClassName = (pvc ?? storage)?.storageClassName ?? volume.spec?.storageClassName ?? '';
  const spec = claimSpecOf(
    { contentType, pvc, storage: storage && withSize(storage, volume) },
    {
      storageClassName,
      profile: profileOf(caches, storageClassName, dataVolume.spec, keyOf(dataVolume)),
      // The volume already has its final size, so nothing is added.
      filesystemOverhead: 0,
      source: undefined,
    },
  );
  delete spec.dataSource;
  delete spec.dataSourceRef;
  return spec;
}

/** Returns the storage spec, with the size of the volume where the DataVolume gives none. */
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
