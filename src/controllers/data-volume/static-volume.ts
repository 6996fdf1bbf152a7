import { stateAnnotation, userAnnotation } from '../../api/annotations.ts';
import type { DataVolume } from '../../api/data-volume.ts';
import type { StorageSpec } from '../../api/persistent-volume-claim-spec.ts';
import { parseQuantity } from '../../api/quantity.ts';
import type { PersistentVolume, PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import { WaitingError } from '../../kube/errors.ts';
import { isBeingDeleted } from '../../kube/finalizers.ts';
import { keyOf } from '../../kube/key.ts';
import type { Caches } from '../runtime/caches.ts';
import { claimSpecOf } from './claim-spec.ts';
import { claimOf } from './objects.ts';
import { profileOf } from './storage-profile.ts';

type ClaimSpec = NonNullable<PersistentVolumeClaim['spec']>;

const LOOK_AGAIN_MILLISECONDS = 5_000;

/**
 * The volumes that somebody has reserved for the DataVolume's claim, with data that is to be kept, where the DataVolume asks to look for
 * them. A volume that a claim of that name had before, and that is released now, is none.
 */
export function reservedVolumes({ volumes }: Pick<Caches, 'volumes'>, { metadata }: DataVolume): PersistentVolume[] {
  if (metadata.annotations?.[userAnnotation.checkStaticVolume] === undefined) return [];
  return volumes.list().filter((volume) => {
    const { namespace, name, uid } = volume.spec?.claimRef ?? {};
    return namespace === metadata.namespace && name === metadata.name && !uid && !isBeingDeleted(volume);
  });
}

/**
 * The DataVolume's claim, to be bound to a volume that is reserved for it: nothing fills it. What the DataVolume leaves open of class and
 * size is as the volume has it.
 *
 * @param reserved one or more; the first that fits is taken
 * @throws WaitingError ErrIncompatiblePVC where none fits: whatever else the claim were bound to, it would not be the data
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
      // The volume is as large as it is: there is nothing to make room for.
      filesystemOverhead: 0,
      source: undefined,
    },
  );
  delete spec.dataSource;
  delete spec.dataSourceRef;
  return spec;
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
