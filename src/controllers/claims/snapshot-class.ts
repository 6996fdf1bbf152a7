import { snapshotClassAnnotation } from '../../api/annotations.ts';
import type { VolumeSnapshotClass } from '../../kube/snapshot-resources.ts';

/**
 * Name of the VolumeSnapshotClass for snapshots on a driver: the preferred one, or none where that is not of the
 * driver; without a preference the driver's default class, else its first by name.
 */
export function chooseSnapshotClass(
  classes: readonly VolumeSnapshotClass[],
  driver: string | undefined,
  preferred: string | undefined,
): string | undefined {
  const candidates = classes
    .filter((candidate) => candidate.driver === driver)
    .sort((a, b) => (a.metadata?.name ?? '').localeCompare(b.metadata?.name ?? ''));
  const chosen =
    preferred === undefined
      ? (candidates.find(isDefault) ?? candidates[0])
      : candidates.find((candidate) => candidate.metadata?.name === preferred);
  return chosen?.metadata?.name;
}

function isDefault(candidate: VolumeSnapshotClass): boolean {
  return candidate.metadata?.annotations?.[snapshotClassAnnotation.isDefaultClass] === 'true';
}
