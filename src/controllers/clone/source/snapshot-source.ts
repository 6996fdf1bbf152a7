import { userAnnotation } from '../../../api/annotations.ts';
import { parseQuantity } from '../../../api/quantity.ts';
import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import { isBeingDeleted } from '../../../kube/finalizers.ts';
import { keyToString, type ObjectKey } from '../../../kube/key.ts';
import {
  snapshotTrouble,
  type VolumeSnapshot,
  type VolumeSnapshotContent,
  volumeSnapshotContents,
} from '../../../kube/snapshot-resources.ts';
import type { Caches } from '../../runtime/caches.ts';
import type { ControllerContext } from '../../runtime/context.ts';
import { requestedBytes, volumeModeOf } from '../../transfers/transfer-target.ts';
import { reachOfSnapshot } from './reach.ts';
import { type CloneSource, notReady, without } from './source.ts';

/**
 * Reads a VolumeSnapshot that is to be cloned.
 *
 * @param assumedMode the volume mode where neither the snapshot's annotation nor its content nor its claim has one
 * @throws WaitingError while the snapshot does not exist or is not ready to use
 */
export async function gatherSnapshotSource(
  { caches, client }: Pick<ControllerContext, 'caches' | 'client'>,
  key: ObjectKey,
  assumedMode: 'Filesystem' | 'Block',
): Promise<CloneSource> {
  const snapshot = caches.snapshots.get(key);
  if (!snapshot) throw without('snapshot', key, 'absent');
  if (isBeingDeleted(snapshot)) throw without('snapshot', key, 'deleted');
  if (!snapshot.status?.readyToUse) {
    const trouble = snapshotTrouble(snapshot);
    throw notReady(`The source snapshot ${keyToString(key)} is not ready to use yet${trouble ? `: ${trouble}` : ''}`);
  }
  const contentName = snapshot.status.boundVolumeSnapshotContentName;
  const found = contentName
    ? await client.get(volumeSnapshotContents, { namespace: '', name: contentName })
    : undefined;
  // A snapshot's status may name any content, so the owner is taken from the content.
  const content = found?.spec.volumeSnapshotRef.uid === snapshot.metadata?.uid ? found : undefined;
  const restoreSize = parseQuantity(snapshot.status.restoreSize ?? '0');
  const origin = originOf(caches, snapshot, content);
  return {
    kind: 'VolumeSnapshot',
    key,
    uid: snapshot.metadata?.uid ?? '',
    driver: content?.spec.driver ?? driverOfClass(caches, snapshot),
    volumeMode: volumeModeOfSnapshot(caches, snapshot, content) ?? assumedMode,
    capacity: Math.max(restoreSize, parseQuantity(origin?.status?.capacity?.['storage'] ?? '0')),
    restoreSize,
    request: requestOf(caches, snapshot, restoreSize),
    contentType: 'kubevirt',
    reach: reachOfSnapshot(caches, key),
  };
}

/**
 * Returns the claim that a snapshot was taken of, as long as it has the same volume: another claim may have the name by
 * now.
 */
function originOf(
  caches: Pick<Caches, 'claims' | 'volumes'>,
  snapshot: VolumeSnapshot,
  content: VolumeSnapshotContent | undefined,
): PersistentVolumeClaim | undefined {
  const name = snapshot.spec.source.persistentVolumeClaimName;
  const claim = name ? caches.claims.get({ namespace: snapshot.metadata?.namespace ?? '', name }) : undefined;
  const volumeName = claim?.spec?.volumeName;
  const volume = volumeName ? caches.volumes.get({ namespace: '', name: volumeName }) : undefined;
  const { driver, volumeHandle } = volume?.spec?.csi ?? {};
  const isIts =
    volumeHandle !== undefined && volumeHandle === content?.spec.source.volumeHandle && driver === content.spec.driver;
  return isIts && volume?.spec?.claimRef?.uid === claim?.metadata?.uid ? claim : undefined;
}

/**
 * Returns the bytes that the claim of a snapshot requested, which drivers round up; 0 where the claim no longer exists.
 * The snapshot is restored at its own size in any case.
 */
function requestOf(caches: Pick<Caches, 'claims'>, snapshot: VolumeSnapshot, restoreSize: number): number {
  const name = snapshot.spec.source.persistentVolumeClaimName;
  const origin = name ? caches.claims.get({ namespace: snapshot.metadata?.namespace ?? '', name }) : undefined;
  return origin ? Math.min(requestedBytes(origin), restoreSize) : 0;
}

function driverOfClass(caches: Pick<Caches, 'snapshotClasses'>, snapshot: VolumeSnapshot): string | undefined {
  const name = snapshot.spec.volumeSnapshotClassName;
  return name ? caches.snapshotClasses.get({ namespace: '', name })?.driver : undefined;
}

/** Returns the mode of the volume that the snapshot was taken of. */
function volumeModeOfSnapshot(
  caches: Pick<Caches, 'claims'>,
  snapshot: VolumeSnapshot,
  content: VolumeSnapshotContent | undefined,
): 'Filesystem' | 'Block' | undefined {
  const modes = [snapshot.metadata?.annotations?.[userAnnotation.sourceVolumeMode], content?.spec.sourceVolumeMode];
  const mode = modes.find((candidate) => candidate === 'Block' || candidate === 'Filesystem');
  if (mode) return mode;
  const name = snapshot.spec.source.persistentVolumeClaimName;
  const claim = name ? caches.claims.get({ namespace: snapshot.metadata?.namespace ?? '', name }) : undefined;
  return claim && volumeModeOf(claim);
}
