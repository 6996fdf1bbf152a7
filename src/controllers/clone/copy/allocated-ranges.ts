import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import { isBeingDeleted } from '../../../kube/finalizers.ts';
import { keyOf } from '../../../kube/key.ts';
import type { VolumeSnapshot } from '../../../kube/snapshot-resources.ts';
import type { Question } from '../../changed-blocks/changed-blocks.ts';
import { workForAnnotation } from '../../objects/internal-annotations.ts';
import { isMadeFor } from '../../objects/made-for.ts';
import type { CloneContext } from '../metrics/clone-count.ts';
import type { CloneSource } from '../source/source.ts';
import type { Inquiry } from './inquiries.ts';
import { type SnapshotContext, sourceSnapshot } from './source-snapshot.ts';

/**
 * Returns what has to be asked to know what is allocated of a source: about the snapshot that the source was restored
 * from, or about a temporary one.
 *
 * @param claim that is copied into
 * @returns undefined where there is no snapshot to ask about
 * @throws WaitingError where there should be one
 */
export async function whatIsAllocated(
  context: SnapshotContext,
  inquiry: Inquiry,
  claim: PersistentVolumeClaim,
  source: CloneSource & { readonly driver: string },
): Promise<Question | 'pending' | undefined> {
  const { driver, capacity } = source;
  const snapshot = snapshotBehind(context, claim, source) ?? (await sourceSnapshot(context, inquiry, claim, source));
  if (snapshot === undefined || snapshot === 'pending') return snapshot;
  return { driver, snapshot: keyOf(snapshot), capacity };
}

/** Returns a snapshot that there is already, and that has what the source has. */
function snapshotBehind(
  { caches }: Pick<CloneContext, 'caches'>,
  claim: PersistentVolumeClaim,
  { key }: CloneSource,
): VolumeSnapshot | undefined {
  const { namespace } = key;
  const target = claim.metadata?.annotations?.[workForAnnotation];
  if (target === undefined) return undefined;
  const restored = caches.claims.get(key);
  const { dataSource } = restored?.spec ?? {};
  if (!restored || !isMadeFor(restored, target) || dataSource?.kind !== 'VolumeSnapshot') return undefined;
  const snapshot = caches.snapshots.get({ namespace, name: dataSource.name });
  // Another snapshot may have the name by now: of one that is older than the claim, that is certain to be it.
  const isIt = snapshot && createdAt(snapshot) < createdAt(restored) && !isBeingDeleted(snapshot);
  return isIt ? snapshot : undefined;
}

/** In milliseconds since the epoch. */
function createdAt({ metadata }: VolumeSnapshot | PersistentVolumeClaim): number {
  return Date.parse(String(metadata?.creationTimestamp ?? ''));
}
