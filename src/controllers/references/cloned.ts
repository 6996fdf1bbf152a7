import { stateAnnotation } from '../../api/annotations.ts';
import type { CloneSourceKind } from '../../api/clone-grant.ts';
import type { VolumeCloneSource } from '../../api/volume-clone-source.ts';
import { keyToString, type Key } from '../../kube/key.ts';

export type { CloneSourceKind };

/** What is cloned, as the value of an index. */
export function cloned(kind: CloneSourceKind, key: Key): string {
  return `${kind} ${keyToString(key)}`;
}

/** What a VolumeCloneSource names to be cloned. */
export function clonedBy({ metadata, spec }: VolumeCloneSource): string[] {
  const namespace = metadata.annotations?.[stateAnnotation.dataSourceNamespace] ?? metadata.namespace ?? '';
  const kind = spec.source.kind === 'VolumeSnapshot' ? 'VolumeSnapshot' : 'PersistentVolumeClaim';
  return [cloned(kind, { namespace, name: spec.source.name })];
}
