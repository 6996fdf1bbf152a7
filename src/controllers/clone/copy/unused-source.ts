import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import type { ObjectKey } from '../../../kube/key.ts';
import { keepsBase } from '../bases/base.ts';
import type { CloneContext } from '../metrics/clone-count.ts';
import { isInUse, requireUnused } from '../source/in-use.ts';
import type { Inquiries } from './inquiries.ts';
import { forgetRanges } from './known-ranges.ts';

/**
 * Refuses to read a source that a pod may write to, of which a snapshot says nothing any more.
 *
 * @param claim that is copied into
 * @throws WaitingError CloneSourceInUse
 */
export async function requireUnusedSource(
  context: CloneContext,
  inquiries: Inquiries,
  claim: PersistentVolumeClaim,
  source: ObjectKey,
): Promise<void> {
  try {
    requireUnused(context.caches, source);
  } catch (error) {
    inquiries.end(claim);
    await forgetRanges(context, claim, source.namespace);
    throw error;
  }
}

/**
 * Sees to it that no base is kept where a pod may write to the source while it is copied: what it writes may be copied,
 * and is not in the snapshot.
 *
 * @returns `waiting` where that has to be called again, before the copy is complete
 */
export async function dropBaseInUse(
  context: CloneContext,
  claim: PersistentVolumeClaim,
  source: ObjectKey,
): Promise<'done' | 'waiting'> {
  if (!keepsBase(claim) || !isInUse(context.caches, source)) return 'done';
  return (await forgetRanges(context, claim, source.namespace)) === 'waiting' ? 'waiting' : 'done';
}
