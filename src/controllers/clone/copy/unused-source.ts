import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import { WaitingError } from '../../../kube/errors.ts';
import type { ObjectKey } from '../../../kube/key.ts';
import { annotateClaim } from '../../claims/annotate-claim.ts';
import { workReadSinceAnnotation } from '../../objects/internal-annotations.ts';
import { readReport } from '../../transfers/transfer-report.ts';
import { keepsBase } from '../bases/base.ts';
import type { CloneContext } from '../metrics/clone-count.ts';
import { isInUse, requireUnused } from '../source/in-use.ts';
import { forgetRanges } from './inquire.ts';
import type { Inquiries } from './inquiries.ts';

const FIELD_MANAGER = 'diskpress-copy-source';

/**
 * Refuses to read a source that a pod may write to, of which a snapshot says nothing any more, and of which what has
 * arrived is not resumed.
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
    const report = readReport(claim.metadata?.annotations);
    if (report && error instanceof WaitingError && report.reason !== error.reason) {
      const since = new Date(context.now()).toISOString();
      await annotateClaim(context.client, claim, FIELD_MANAGER, { [workReadSinceAnnotation]: since });
    }
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
