import { stateAnnotation } from '../../api/annotations.ts';
import { cloneTypes, type CloneType } from '../../api/clone.ts';
import type { PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import type { ControllerContext } from '../context.ts';
import { chooseSnapshotClass } from '../snapshot-class.ts';
import { requestedBytes, volumeModeOf } from '../transfer-target.ts';
import type { CloneFacts } from './planner.ts';
import type { CloneSource } from './source.ts';

/** Gathers what the planner decides on. */
export function gatherFacts(
  { caches, config }: ControllerContext,
  target: PersistentVolumeClaim,
  source: CloneSource,
): CloneFacts {
  const storageClassName = target.spec?.storageClassName ?? '';
  const storageClass = caches.storageClasses.get({ namespace: '', name: storageClassName });
  const provisioner = storageClass?.provisioner;
  const profile = caches.storageProfiles.get({ namespace: '', name: storageClassName });
  return {
    source: {
      kind: source.kind,
      namespace: source.key.namespace,
      driver: source.driver,
      volumeMode: source.volumeMode,
      capacity: source.capacity,
    },
    target: {
      namespace: target.metadata?.namespace ?? '',
      storageClass: storageClassName,
      driver: provisioner && caches.csiDrivers.get({ namespace: '', name: provisioner }) ? provisioner : undefined,
      volumeMode: volumeModeOf(target),
      request: requestedBytes(target),
      allowVolumeExpansion: storageClass?.allowVolumeExpansion ?? false,
    },
    // Once begun, a clone goes on the way it was begun, whatever is configured meanwhile.
    override: begunWith(target) ?? config.cloneStrategyOverride,
    profile: profile?.status?.cloneStrategy,
    snapshotClass: chooseSnapshotClass(caches.snapshotClasses.list(), source.driver, profile?.spec.snapshotClass),
  };
}

/** The strategy that a clone was begun with. */
export function begunWith(target: PersistentVolumeClaim): CloneType | undefined {
  const annotated = target.metadata?.annotations?.[stateAnnotation.cloneType];
  return cloneTypes.find((type) => type === annotated);
}
