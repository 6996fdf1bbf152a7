import { populationAnnotation } from '../../api/annotations.ts';
import type { DataVolume } from '../../api/data-volume.ts';
import { controllerOf } from '../../kube/apply.ts';
import type { PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import { TerminalError } from '../../kube/errors.ts';
import { keyOf, keyToString, type Key } from '../../kube/key.ts';
import type { Caches } from '../caches.ts';
import type { CloneSourceKind } from './source.ts';

type AuthorityCaches = Pick<Caches, 'dataVolumes' | 'cloneSources'>;

/**
 * Whether a claim may be filled from a source in another namespace. Annotations and owner references can be written by
 * anyone who may write claims, so they prove nothing by themselves. What proves it is the DataVolume that controls the
 * claim: its right to the source was checked against the requesting user at admission (deploy/admission), and its spec
 * is immutable.
 *
 * @throws TerminalError Forbidden
 */
export function requireAuthority(
  caches: AuthorityCaches,
  target: PersistentVolumeClaim,
  kind: CloneSourceKind,
  source: Key,
): void {
  const { namespace } = keyOf(target);
  if (source.namespace === namespace) return;
  const owner = target.metadata?.ownerReferences?.find((reference) => reference.kind === 'DataVolume');
  const dataVolume = owner && caches.dataVolumes.get({ namespace, name: owner.name });
  if (dataVolume && dataVolume.metadata.uid === owner.uid) {
    if (names(dataVolume, kind, source) || wasResolvedFor(caches, dataVolume, target)) return;
  }
  throw new TerminalError(
    'Forbidden',
    `Cloning ${keyToString(source)} into namespace "${namespace}" needs a DataVolume whose source names it, ` +
      'made by a user with the right to create datavolumes/source there',
  );
}

function names({ spec }: DataVolume, kind: CloneSourceKind, source: Key): boolean {
  const named = kind === 'PersistentVolumeClaim' ? spec.source?.pvc : spec.source?.snapshot;
  return named?.namespace === source.namespace && named.name === source.name;
}

/**
 * Whether the source is what the DataVolume's sourceRef stood for when its claim was made. The user's right to the
 * DataSource, and the right of its author to what it stands for, were checked at admission; the DataSource may have
 * moved on since. What it stood for is in the VolumeCloneSource that the DataVolume's controller made for this
 * DataVolume, or in the claim's annotation; admission lets nobody make either of them name another namespace who may
 * not clone from there.
 */
function wasResolvedFor(
  { cloneSources }: AuthorityCaches,
  dataVolume: DataVolume,
  target: PersistentVolumeClaim,
): boolean {
  if (!dataVolume.spec.sourceRef) return false;
  const reference = target.spec?.dataSourceRef;
  if (!reference) return target.metadata?.annotations?.[populationAnnotation.cloneRequest] !== undefined;
  const { namespace } = keyOf(target);
  const cloneSource = cloneSources.get({ namespace, name: reference.name });
  return cloneSource !== undefined && controllerOf(cloneSource)?.uid === dataVolume.metadata.uid;
}
