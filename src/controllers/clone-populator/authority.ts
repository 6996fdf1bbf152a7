import type { DataVolume } from '../../api/data-volume.ts';
import type { PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import { TerminalError } from '../../kube/errors.ts';
import { keyOf, keyToString, type Key } from '../../kube/key.ts';
import type { Caches } from '../caches.ts';

/**
 * Whether a claim may be filled from a source in another namespace. Annotations and owner references can be written by
 * anyone who may write claims, so they prove nothing. What proves it is the DataVolume that controls the claim: its
 * right to the source was checked against the requesting user at admission (deploy/admission), and its spec is immutable.
 *
 * @throws TerminalError Forbidden
 */
export function requireAuthority(
  caches: Pick<Caches, 'dataVolumes'>,
  target: PersistentVolumeClaim,
  kind: 'PersistentVolumeClaim' | 'VolumeSnapshot',
  source: Key,
): void {
  if (source.namespace === keyOf(target).namespace) return;
  const owner = target.metadata?.ownerReferences?.find((reference) => reference.kind === 'DataVolume');
  const dataVolume = owner && caches.dataVolumes.get({ namespace: keyOf(target).namespace, name: owner.name });
  if (dataVolume && dataVolume.metadata.uid === owner.uid && clones(dataVolume, kind, source)) return;
  throw new TerminalError(
    'Forbidden',
    `Cloning ${keyToString(source)} into namespace "${keyOf(target).namespace}" needs a DataVolume whose source names it, ` +
      'made by a user with the right to create datavolumes/source there',
  );
}

function clones(dataVolume: DataVolume, kind: 'PersistentVolumeClaim' | 'VolumeSnapshot', source: Key): boolean {
  const named = kind === 'PersistentVolumeClaim' ? dataVolume.spec.source?.pvc : dataVolume.spec.source?.snapshot;
  return named?.namespace === source.namespace && named.name === source.name;
}
