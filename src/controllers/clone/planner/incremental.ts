import { userAnnotation } from '../../../api/annotations.ts';
import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import type { ChangedBlocks } from '../../changed-blocks/changed-blocks.ts';
import { baseRefusedAnnotation, baseSizeAnnotation } from '../../objects/internal-annotations.ts';
import type { Caches } from '../../runtime/caches.ts';
import { requestedBytes, volumeModeOf } from '../../transfers/transfer-target.ts';
import { type Base, classUidOf, copiedAt, findBase, isIncremental } from '../bases/base.ts';
import type { CloneSource } from '../source/source.ts';

interface IncrementalContext {
  readonly caches: Pick<Caches, 'claims' | 'snapshots' | 'storageClasses'>;
  readonly changedBlocks: Pick<ChangedBlocks, 'has'>;
}

/** Returns the claim that is copied, where a base of the copy is to be kept: its owner wants it, and its driver can. */
export async function incrementalSource(
  { caches, changedBlocks }: IncrementalContext,
  target: PersistentVolumeClaim,
  { kind, key, driver }: CloneSource,
): Promise<PersistentVolumeClaim | undefined> {
  if (kind !== 'PersistentVolumeClaim' || driver === undefined || volumeModeOf(target) !== 'Block') return undefined;
  if (target.metadata?.annotations?.[userAnnotation.verifyClone] === 'full') return undefined;
  const claim = caches.claims.get(key);
  if (!claim || !isIncremental(claim) || classUidOf(caches, target) === undefined) return undefined;
  return (await changedBlocks.has(driver)) ? claim : undefined;
}

/**
 * Returns the base that a copy of an incremental source begins with: none that is larger than what the target requests,
 * as the volume would be larger than what its quota has counted.
 */
export function baseToBeginWith(
  caches: Pick<Caches, 'snapshots' | 'storageClasses'>,
  target: PersistentVolumeClaim,
  source: PersistentVolumeClaim,
): Base | undefined {
  if (target.metadata?.annotations?.[baseRefusedAnnotation] !== undefined) return undefined;
  const base = findBase(caches, source.metadata?.uid, classUidOf(caches, target));
  const size = Number(base?.copy.metadata?.annotations?.[baseSizeAnnotation] ?? 0);
  return size <= requestedBytes(target) ? base : undefined;
}

/** Returns when the earlier copy was made that a copy begins with; undefined where there is none. RFC 3339. */
export async function copiedBefore(
  context: IncrementalContext,
  target: PersistentVolumeClaim,
  source: CloneSource,
): Promise<string | undefined> {
  const claim = await incrementalSource(context, target, source);
  const base = claim && baseToBeginWith(context.caches, target, claim);
  return base && copiedAt(base);
}
