import { stateAnnotation } from '../../../api/annotations.ts';
import { type CloneType, cloneTypes } from '../../../api/clone.ts';
import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import { chooseSnapshotClass } from '../../claims/snapshot-class.ts';
import { cloneBegunAnnotation } from '../../objects/internal-annotations.ts';
import type { ControllerContext } from '../../runtime/context.ts';
import { requestedBytes, volumeModeOf } from '../../transfers/transfer-target.ts';
import type { Consumer } from '../source/reach.ts';
import type { CloneSource } from '../source/source.ts';
import type { CloneFacts } from '../strategies/clone-facts.ts';
import { strategyOf } from '../strategies/strategies.ts';

/**
 * Gathers the facts on which the planner decides.
 *
 * @param consumer of the target, where it is known
 */
export function gatherFacts(
  { caches, config }: Pick<ControllerContext, 'caches' | 'config'>,
  target: PersistentVolumeClaim,
  source: CloneSource,
  consumer?: Consumer,
): CloneFacts {
  const storageClassName = target.spec?.storageClassName ?? '';
  const storageClass = caches.storageClasses.get({ namespace: '', name: storageClassName });
  const provisioner = storageClass?.provisioner;
  const profile = caches.storageProfiles.get({ namespace: '', name: storageClassName });
  const preferredSnapshotClass = profile?.spec.snapshotClass;
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
    consumer,
    override: config.cloneStrategyOverride,
    wish: isBegun(target) ? undefined : toldType(target),
    profile: profile?.status?.cloneStrategy,
    snapshotClass: chooseSnapshotClass(caches.snapshotClasses.list(), source.driver, preferredSnapshotClass),
    preferredSnapshotClass,
  };
}

/** Returns the strategy that a clone was begun with, and with which it is resumed. */
export function begunWith(target: PersistentVolumeClaim): CloneType | undefined {
  return isBegun(target) ? toldType(target) : undefined;
}

/** Returns whether a clone was begun that pods make, which takes longer than one by the storage. */
export function isCopied(target: PersistentVolumeClaim): boolean {
  const cloneType = begunWith(target);
  return cloneType !== undefined && !strategyOf(cloneType).byStorage;
}

/** Returns whether the annotation cloneType is the controllers' record, and no longer a wish. */
function isBegun({ metadata }: PersistentVolumeClaim): boolean {
  return metadata?.uid !== undefined && metadata.annotations?.[cloneBegunAnnotation] === metadata.uid;
}

function toldType({ metadata }: PersistentVolumeClaim): CloneType | undefined {
  return cloneTypes.find((type) => type === metadata?.annotations?.[stateAnnotation.cloneType]);
}
