import { formatBytes } from '../../../base/format-bytes.ts';
import type { Consumer } from '../source/reach.ts';
import type { Fallback, Obstacle } from './strategy.ts';

export const otherDriver: Obstacle = ({ source, target }) => {
  if (source.driver !== undefined && source.driver === target.driver) return undefined;
  const from = source.driver === undefined ? 'not on a CSI driver' : `on ${source.driver}`;
  const to =
    target.driver === undefined
      ? `storage class ${target.storageClass} has no CSI driver`
      : `the target on ${target.driver}`;
  return {
    reason: source.kind === 'VolumeSnapshot' ? 'NoProvisionerMatch' : 'IncompatibleProvisioners',
    message: `the source is ${from}, ${to}`,
  };
};

export const otherVolumeMode: Obstacle = ({ source, target }) =>
  source.volumeMode !== target.volumeMode
    ? {
        reason: 'IncompatibleVolumeModes',
        message: `the source is a ${source.volumeMode} volume, the target a ${target.volumeMode} volume`,
      }
    : undefined;

export const volumeOutOfReach: Obstacle = ({ consumer }) =>
  consumer && !consumer.reachesVolume ? outOfReach(consumer) : undefined;

export const snapshotOutOfReach: Obstacle = ({ consumer }) =>
  consumer && !consumer.reachesSnapshots ? outOfReach(consumer) : undefined;

function outOfReach({ node, reachedFrom }: Consumer): Fallback {
  return {
    reason: 'IncompatibleTopology',
    message: `the target's consumer was put on node "${node}", and only nodes with ${reachedFrom} reach the source`,
  };
}

export const cannotGrow: Obstacle = ({ source, target }) =>
  source.capacity > 0 && target.request > source.capacity && !target.allowVolumeExpansion
    ? {
        reason: 'NoVolumeExpansion',
        message:
          `the target is larger (${formatBytes(target.request)}) than the source (${formatBytes(source.capacity)}) ` +
          `and storage class ${target.storageClass} does not allow volume expansion`,
      }
    : undefined;

export const noSnapshotClass: Obstacle = ({ source, target, snapshotClass, preferredSnapshotClass }) =>
  source.kind === 'PersistentVolumeClaim' && snapshotClass === undefined
    ? {
        reason: 'NoVolumeSnapshotClass',
        message:
          preferredSnapshotClass === undefined
            ? `there is no VolumeSnapshotClass of driver ${source.driver}`
            : `StorageProfile ${target.storageClass} names VolumeSnapshotClass ${preferredSnapshotClass}, and there is none of that name and of driver ${source.driver}`,
      }
    : undefined;
