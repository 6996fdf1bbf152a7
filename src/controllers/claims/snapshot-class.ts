import { snapshotClassAnnotation } from '../../api/annotations.ts';
import type { VolumeSnapshotClass } from '../../kube/snapshot-resources.ts';

/**
 * Returns the name of the VolumeSnapshotClass for a driver's snapshots: the preferred class, or none where that belongs
 * to another driver; without a preference, the driver's default class, or else its first class by name.
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
