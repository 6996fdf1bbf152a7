import { stateAnnotation } from '../../../api/annotations.ts';
import type { CloneSourceKind } from '../../../api/clone-grant.ts';
import type { VolumeCloneSource } from '../../../api/volume-clone-source.ts';
import { keyToString, type ObjectKey } from '../../../kube/key.ts';
import { defineIndex } from '../../../kube/object-index.ts';

/** Returns the index value for an object that is cloned. */
export function cloned(kind: CloneSourceKind, key: ObjectKey): string {
  return `${kind} ${keyToString(key)}`;
}

/** The index of VolumeCloneSources by the object that they clone. */
export const byCloned = defineIndex<VolumeCloneSource>(({ metadata, spec }) => {
  const namespace = metadata.annotations?.[stateAnnotation.dataSourceNamespace] ?? metadata.namespace ?? '';
  const kind = spec.source.kind === 'VolumeSnapshot' ? 'VolumeSnapshot' : 'PersistentVolumeClaim';
  return [cloned(kind, { namespace, name: spec.source.name })];
});
