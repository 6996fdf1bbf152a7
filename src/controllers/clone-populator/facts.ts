import { snapshotClassAnnotation, stateAnnotation } from '../../api/annotations.ts';
import { cloneTypes, type CloneType } from '../../api/clone.ts';
import type { PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import type { ControllerContext } from '../context.ts';
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
    snapshotClass: snapshotClassFor(caches, source.driver, profile?.status?.snapshotClass),
  };
}

/** The strategy that a clone was begun with. */
export function begunWith(target: PersistentVolumeClaim): CloneType | undefined {
  const annotated = target.metadata?.annotations?.[stateAnnotation.cloneType];
  return cloneTypes.find((type) => type === annotated);
}

/** The profile's class where it is of the driver, else the driver's default class, else its first by name. */
function snapshotClassFor(
  caches: ControllerContext['caches'],
  driver: string | undefined,
  preferred: string | undefined,
): string | undefined {
  const candidates = caches.snapshotClasses
    .list()
    .filter((candidate) => candidate.driver === driver)
    .sort((a, b) => (a.metadata?.name ?? '').localeCompare(b.metadata?.name ?? ''));
  const chosen =
    candidates.find((candidate) => candidate.metadata?.name === preferred) ??
    candidates.find(
      (candidate) => candidate.metadata?.annotations?.[snapshotClassAnnotation.isDefaultClass] === 'true',
    ) ??
    candidates[0];
  return chosen?.metadata?.name;
}
