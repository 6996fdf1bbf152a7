import type { DataSource } from '../../api/data-source.ts';
import { keyToString, type ObjectKey } from '../../kube/key.ts';
import { snapshotTrouble } from '../../kube/snapshot-resources.ts';
import { isBound } from '../claims/bound.ts';
import { waitsForFirstConsumer } from '../claims/wait-for-first-consumer.ts';
import type { Caches } from '../runtime/caches.ts';
import type { ObservedCondition } from '../runtime/conditions.ts';
import { resolveDataSource } from './resolve.ts';

type ReadyCondition = ObservedCondition & { readonly type: 'Ready'; readonly reason: string; readonly message: string };

const READY = {
  type: 'Ready',
  status: 'True',
  reason: 'Ready',
  message: 'DataSource is ready to be consumed',
} as const;

/** Determines the source of a DataSource, and whether it can be cloned now. Pure. */
export function observeDataSource(
  caches: Pick<Caches, 'dataSources' | 'dataVolumes' | 'claims' | 'snapshots' | 'storageClasses'>,
  dataSource: DataSource,
): { readonly source: DataSource['spec']['source'] | undefined; readonly condition: ReadyCondition } {
  const resolution = resolveDataSource(caches, dataSource);
  const { source } = resolution;
  if (!source) return { source, condition: notReady(resolution.reason, resolution.message) };
  const { pvc, snapshot } = source;
  return { source, condition: pvc ? claimReadiness(caches, pvc) : snapshotReadiness(caches, snapshot) };
}

function claimReadiness(
  caches: Pick<Caches, 'dataVolumes' | 'claims' | 'storageClasses'>,
  key: ObjectKey,
): ReadyCondition {
  const dataVolume = caches.dataVolumes.get(key);
  const phase = dataVolume?.status?.phase || 'Pending';
  if (dataVolume && phase !== 'Succeeded') {
    return notReady(phase, `DataVolume ${keyToString(key)} is not complete yet (${phase})`);
  }
  const claim = caches.claims.get(key);
  if (!claim) return notReady('NotFound', `PersistentVolumeClaim ${keyToString(key)} does not exist`);
  if (!isBound(claim) && !waitsForFirstConsumer(claim, caches)) {
    return notReady('NotBound', `PersistentVolumeClaim ${keyToString(key)} has no volume yet`);
  }
  return READY;
}

function snapshotReadiness(caches: Pick<Caches, 'snapshots'>, key: ObjectKey | undefined): ReadyCondition {
  const snapshot = key && caches.snapshots.get(key);
  const name = key ? keyToString(key) : '';
  if (!snapshot) return notReady('NotFound', `VolumeSnapshot ${name} does not exist`);
  if (snapshot.status?.readyToUse) return READY;
  const trouble = snapshotTrouble(snapshot);
  return notReady('SnapshotNotReady', `VolumeSnapshot ${name} is not ready to use yet${trouble ? `: ${trouble}` : ''}`);
}

function notReady(reason: string, message: string): ReadyCondition {
  return { type: 'Ready', status: 'False', reason, message };
}
