import { populationAnnotation, userAnnotation } from '../../api/annotations.ts';
import { humanBytes } from '../../api/bytes.ts';
import { parseQuantity } from '../../api/quantity.ts';
import type { PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import { TerminalError, WaitingError } from '../../kube/errors.ts';
import { keyToString, type Key } from '../../kube/key.ts';
import type { VolumeSnapshot } from '../../kube/snapshot-resources.ts';
import { BY_CLAIM, type Caches } from '../caches.ts';
import { POD_ROLE_LABEL } from '../../api/labels.ts';
import { readReport } from '../transfer-report.ts';
import { requestedBytes, volumeModeOf } from '../transfer-target.ts';

const LOOK_AGAIN_MILLISECONDS = 2_000;

/** What is cloned, once it is there to be cloned. Sizes are in bytes. */
export interface CloneSource {
  readonly kind: 'PersistentVolumeClaim' | 'VolumeSnapshot';
  readonly key: Key;
  readonly driver: string | undefined;
  readonly volumeMode: 'Filesystem' | 'Block';
  /** What the source's volume holds. */
  readonly capacity: number;
  /** What the source's claim asked for; a target that asks for less is refused. */
  readonly request: number;
  readonly contentType: string;
}

/**
 * Reads the source of a clone.
 *
 * @throws WaitingError while it does not exist or is not ready
 */
export function gatherSource(caches: Caches, kind: CloneSource['kind'], key: Key): CloneSource {
  return kind === 'PersistentVolumeClaim' ? gatherClaim(caches, key) : gatherSnapshot(caches, key);
}

/**
 * Refuses a target that the source does not fit into.
 *
 * @throws TerminalError CloneValidationFailed
 */
export function requireRoom(source: CloneSource, target: PersistentVolumeClaim): void {
  const request = requestedBytes(target);
  // Between modes the sizes are not the same measure: the copy itself finds out whether the disk fits.
  if (source.volumeMode !== volumeModeOf(target) || request >= source.request) return;
  throw new TerminalError(
    'CloneValidationFailed',
    `The claim requests ${humanBytes(request)}, less than the ${humanBytes(source.request)} of its source ` +
      `${keyToString(source.key)}; request at least as much`,
  );
}

/**
 * Refuses to read a claim that somebody may be writing to.
 *
 * @throws WaitingError CloneSourceInUse, naming the pod
 */
export function requireUnused(caches: Caches, source: CloneSource): void {
  if (source.kind === 'VolumeSnapshot') return;
  const writer = caches.pods.byIndex(BY_CLAIM, keyToString(source.key)).find((pod) => {
    if (pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed') return false;
    if (pod.metadata?.labels?.[POD_ROLE_LABEL] === 'cdi-clone-source') return false;
    const volume = pod.spec?.volumes?.find(
      (candidate) => candidate.persistentVolumeClaim?.claimName === source.key.name,
    );
    if (volume?.persistentVolumeClaim?.readOnly) return false;
    const mounts = (pod.spec?.containers ?? []).flatMap((container) =>
      (container.volumeMounts ?? []).filter((mount) => mount.name === volume?.name),
    );
    return mounts.length === 0 || mounts.some((mount) => !mount.readOnly);
  });
  if (!writer) return;
  throw new WaitingError(
    'CloneSourceInUse',
    `Pod "${writer.metadata?.name}" in namespace "${source.key.namespace}" may write to the source claim ` +
      `"${source.key.name}"; stop it, and the clone goes on`,
    { after: LOOK_AGAIN_MILLISECONDS },
  );
}

function gatherClaim(caches: Caches, key: Key): CloneSource {
  const claim = caches.claims.get(key);
  if (!claim) throw absent('claim', key);
  if (claim.metadata?.deletionTimestamp) {
    throw new WaitingError('CloneWithoutSource', `The source claim ${keyToString(key)} is being deleted`, {
      after: LOOK_AGAIN_MILLISECONDS,
    });
  }
  const volumeName = claim.spec?.volumeName;
  const volume = volumeName ? caches.volumes.get({ namespace: '', name: volumeName }) : undefined;
  if (claim.status?.phase !== 'Bound' || !volume) {
    throw new WaitingError('SourceNotReady', `The source claim ${keyToString(key)} is not bound to a volume yet`, {
      after: LOOK_AGAIN_MILLISECONDS,
    });
  }
  requirePopulated(caches, claim, key);
  return {
    kind: 'PersistentVolumeClaim',
    key,
    driver: volume.spec?.csi?.driver,
    volumeMode: volumeModeOf(claim),
    capacity: parseQuantity(claim.status.capacity?.['storage'] ?? volume.spec?.capacity?.['storage'] ?? '0'),
    request: requestedBytes(claim),
    contentType: claim.metadata?.annotations?.[populationAnnotation.contentType] ?? 'kubevirt',
  };
}

/** A claim that a transfer is still writing to holds half a disk. */
function requirePopulated(caches: Caches, claim: PersistentVolumeClaim, key: Key): void {
  const owner = claim.metadata?.ownerReferences?.find((reference) => reference.kind === 'DataVolume');
  const dataVolume = owner && caches.dataVolumes.get({ namespace: key.namespace, name: owner.name });
  const report = readReport(claim.metadata?.annotations);
  const writtenDirectly = claim.spec?.dataSourceRef === undefined;
  const unfinished = dataVolume
    ? dataVolume.status?.phase !== 'Succeeded'
    : writtenDirectly && report !== undefined && report.podPhase !== 'Succeeded';
  if (!unfinished) return;
  throw new WaitingError(
    'SourceNotReady',
    `The source ${keyToString(key)} is still being populated (${dataVolume?.status?.phase ?? report?.podPhase ?? 'Pending'})`,
    { after: LOOK_AGAIN_MILLISECONDS },
  );
}

function gatherSnapshot(caches: Caches, key: Key): CloneSource {
  const snapshot = caches.snapshots.get(key);
  if (!snapshot) throw absent('snapshot', key);
  if (!snapshot.status?.readyToUse) {
    const trouble = snapshot.status?.error?.message;
    throw new WaitingError(
      'SourceNotReady',
      `The source snapshot ${keyToString(key)} is not ready to use${trouble ? `: ${trouble}` : ''}`,
      { after: LOOK_AGAIN_MILLISECONDS },
    );
  }
  const restoreSize = parseQuantity(snapshot.status.restoreSize ?? '0');
  return {
    kind: 'VolumeSnapshot',
    key,
    driver: snapshotDriver(caches, snapshot),
    volumeMode: snapshotVolumeMode(caches, snapshot),
    capacity: restoreSize,
    request: restoreSize,
    contentType: 'kubevirt',
  };
}

function snapshotDriver(caches: Caches, snapshot: VolumeSnapshot): string | undefined {
  const name = snapshot.spec.volumeSnapshotClassName;
  return name ? caches.snapshotClasses.get({ namespace: '', name })?.driver : undefined;
}

/** The mode of the volume that the snapshot was taken of: from its annotation, or else from its claim. */
function snapshotVolumeMode(caches: Caches, snapshot: VolumeSnapshot): 'Filesystem' | 'Block' {
  const said = snapshot.metadata?.annotations?.[userAnnotation.sourceVolumeMode];
  if (said === 'Block' || said === 'Filesystem') return said;
  const name = snapshot.spec.source.persistentVolumeClaimName;
  const claim = name ? caches.claims.get({ namespace: snapshot.metadata?.namespace ?? '', name }) : undefined;
  return claim ? volumeModeOf(claim) : 'Filesystem';
}

function absent(what: string, key: Key): WaitingError {
  return new WaitingError(
    'CloneWithoutSource',
    `The source ${what} "${key.name}" does not exist in namespace "${key.namespace}"; the clone starts when it does`,
    { after: LOOK_AGAIN_MILLISECONDS },
  );
}
