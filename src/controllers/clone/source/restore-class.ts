import { storageClassAnnotation } from '../../../api/annotations.ts';
import type { PersistentVolumeClaim, StorageClass } from '../../../kube/builtin-resources.ts';
import { WaitingError } from '../../../kube/errors.ts';
import { keyToString } from '../../../kube/key.ts';
import type { Caches } from '../../runtime/caches.ts';
import type { CloneSource } from './source.ts';

/** New StorageClasses do not trigger a reconciliation, so they are looked up again after this time. */
const LOOK_AGAIN_MILLISECONDS = 5_000;

/** The part of a claim's spec that decides whether a snapshot can be restored into it. */
export type RestoreSpec = Pick<
  NonNullable<PersistentVolumeClaim['spec']>,
  'storageClassName' | 'accessModes' | 'volumeMode'
>;

/**
 * Returns the spec of the claim into which a snapshot is restored in order to be copied. Its class is that of the claim
 * that the snapshot was taken of; else the target's class or the default one where they have the snapshot's driver;
 * else any class of that driver, preferably one that binds immediately. Such a class comes last because nobody asked
 * for it, and the driver may be unable to serve it.
 *
 * @throws WaitingError ErrUnableToClone where there is no such class
 */
export function restoreSpecOf(
  caches: Pick<Caches, 'claims' | 'snapshots' | 'storageClasses' | 'storageProfiles'>,
  source: CloneSource,
  target: PersistentVolumeClaim,
): RestoreSpec {
  const claimName = caches.snapshots.get(source.key)?.spec.source.persistentVolumeClaimName;
  const origin = claimName ? caches.claims.get({ namespace: source.key.namespace, name: claimName }) : undefined;
  const candidates = caches.storageClasses
    .list()
    .filter(({ provisioner }) => provisioner === source.driver)
    .sort((a, b) => rank(b, origin, target) - rank(a, origin, target) || nameOf(a).localeCompare(nameOf(b)));
  const [chosen] = candidates;
  if (!chosen) {
    throw new WaitingError(
      'ErrUnableToClone',
      `Snapshot ${keyToString(source.key)} has to be restored to be copied, and there is no StorageClass of its driver ${source.driver ?? '(unknown)'}; create one`,
      { after: LOOK_AGAIN_MILLISECONDS },
    );
  }
  const sets = caches.storageProfiles.get({ namespace: '', name: nameOf(chosen) })?.status?.claimPropertySets;
  const set = sets?.find(({ volumeMode }) => volumeMode === source.volumeMode);
  return {
    storageClassName: nameOf(chosen),
    accessModes: origin?.spec?.accessModes ?? [...(set?.accessModes ?? ['ReadWriteOnce'])],
    volumeMode: source.volumeMode,
  };
}

function rank(
  storageClass: StorageClass,
  origin: PersistentVolumeClaim | undefined,
  target: PersistentVolumeClaim,
): number {
  if (nameOf(storageClass) === origin?.spec?.storageClassName) return 4;
  if (nameOf(storageClass) === target.spec?.storageClassName) return 3;
  if (storageClass.metadata?.annotations?.[storageClassAnnotation.isDefaultClass] === 'true') return 2;
  return storageClass.volumeBindingMode === 'WaitForFirstConsumer' ? 0 : 1;
}

function nameOf(storageClass: StorageClass): string {
  return storageClass.metadata?.name ?? '';
}
