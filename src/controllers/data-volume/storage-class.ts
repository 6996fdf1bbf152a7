import type { DataVolumeSpec } from '../../api/data-volume.ts';
import { WaitingError } from '../../kube/errors.ts';
import { resolveStorageClassName } from '../../rendering/storage-class.ts';
import type { Caches } from '../runtime/caches.ts';

const LOOK_AGAIN_MILLISECONDS = 2_000;

/**
 * Returns the StorageClass of a DataVolume's claim.
 *
 * @throws WaitingError StorageClassNotFound where neither the class nor a static volume with its name exists
 */
export function requireStorageClass(caches: Pick<Caches, 'storageClasses' | 'volumes'>, spec: DataVolumeSpec): string {
  const named = spec.pvc?.storageClassName ?? spec.storage?.storageClassName;
  const classes = caches.storageClasses.list();
  const resolved = resolveStorageClassName(named, spec.contentType ?? 'kubevirt', classes);
  const names = classes.map((candidate) => candidate.metadata?.name).join(', ') || 'none';
  if (resolved === undefined) {
    throw new WaitingError(
      'StorageClassNotFound',
      `The cluster has no default StorageClass; name one in the DataVolume (there are: ${names})`,
      { after: LOOK_AGAIN_MILLISECONDS },
    );
  }
  const known =
    resolved === '' ||
    caches.storageClasses.get({ namespace: '', name: resolved }) !== undefined ||
    caches.volumes.list().some((volume) => volume.spec?.storageClassName === resolved);
  if (known) return resolved;
  throw new WaitingError(
    'StorageClassNotFound',
    `StorageClass "${resolved}" does not exist; create it, or name another one (there are: ${names})`,
    { after: LOOK_AGAIN_MILLISECONDS },
  );
}

/** Returns whether a CSI driver provisions the volumes of a class, so that a populator can work on them. */
export function hasCsiDriver(
  storageClassName: string | undefined,
  caches: Pick<Caches, 'storageClasses' | 'csiDrivers'>,
): boolean {
  if (!storageClassName) return false;
  const provisioner = caches.storageClasses.get({ namespace: '', name: storageClassName })?.provisioner;
  return provisioner !== undefined && caches.csiDrivers.get({ namespace: '', name: provisioner }) !== undefined;
}
