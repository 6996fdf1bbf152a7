import { storageClassAnnotation } from '../../api/annotations.ts';
import type { DataVolumeSpec } from '../../api/data-volume.ts';
import type { StorageClass } from '../../kube/builtin-resources.ts';
import { WaitingError } from '../../kube/errors.ts';
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

/**
 * Returns the StorageClass to use: the named one, which need not exist, because static volumes may carry the name only;
 * else, for disks, the default class of virtual machines; else the cluster's default. Of several defaults, the newest
 * is used, as by the API server.
 */
export function resolveStorageClassName(
  named: string | undefined,
  contentType: string,
  classes: readonly StorageClass[],
): string | undefined {
  if (named !== undefined) return named;
  const virt = contentType === 'kubevirt' ? newestWith(classes, storageClassAnnotation.isDefaultVirtClass) : undefined;
  return (virt ?? newestWith(classes, storageClassAnnotation.isDefaultClass))?.metadata?.name;
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

function newestWith(classes: readonly StorageClass[], annotation: string): StorageClass | undefined {
  return classes
    .filter((candidate) => candidate.metadata?.annotations?.[annotation] === 'true')
    .sort((a, b) => (b.metadata?.creationTimestamp ?? '').localeCompare(a.metadata?.creationTimestamp ?? ''))[0];
}
