import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import { workTakenAnnotation } from '../../objects/internal-annotations.ts';
import { keepsBase } from '../bases/base.ts';
import type { CloneContext } from '../metrics/clone-count.ts';
import type { CloneSource } from '../source/source.ts';
import { holdsBase } from './changed-ranges.ts';
import { forgetAnswer, forgetRanges, inquire, isWorthAsking } from './inquire.ts';
import type { Inquiries } from './inquiries.ts';
import type { RangesOfCopy } from './objects.ts';
import { hasTaken } from './source-snapshot.ts';

/** What is known of the blocks of a source, and what is to be said of it. */
export interface KnownRanges extends RangesOfCopy {
  /** The uid of the snapshot of the source that is kept for a base. */
  readonly taken?: string | undefined;
  readonly remark?: string;
}

/**
 * Returns what the driver of a source tells of its blocks, for the source pod. Whatever does not succeed of that, the
 * copy is made.
 *
 * @param claim that is copied into
 * @param source that no pod may be writing to
 * @param isFresh whether there is no pod of the copy now
 */
export async function knownRanges(
  context: CloneContext,
  inquiries: Inquiries,
  claim: PersistentVolumeClaim,
  source: CloneSource,
  isFresh: boolean,
): Promise<KnownRanges | 'pending'> {
  const isRepeated = holdsBase(claim);
  // Between two pods somebody may have written to the source, which no list knows, and no base may lack.
  if (keepsBase(claim) && hasBegun(claim)) {
    if ((await forgetRanges(context, claim, source.key.namespace)) === 'waiting') return 'pending';
    return isRepeated ? { remark: 'The whole volume is copied, as a pod of this copy has been replaced' } : {};
  }
  if (!isFresh || !(await isWorthAsking(context, claim, source))) return {};
  const inquiry = inquiries.look(claim, source);
  const isUsable = !inquiry.isOver;
  const told = isUsable
    ? await inquire(context, inquiry, claim, source)
    : { why: 'what was told of it may be outdated' };
  if (told === 'pending') return told;
  const isKept = keepsBase(claim) && isUsable && hasTaken(context, inquiry, claim, source);
  const forgotten = isKept ? 'deleted' : await forgetRanges(context, claim, source.key.namespace);
  // One that cannot go yet goes with the end of the copy, unless it would be taken for one of a base then.
  if (forgotten === 'waiting' && keepsBase(claim)) return 'pending';
  inquiries.end(claim);
  forgetAnswer(context, claim);
  const taken = isKept ? inquiry.snapshot : undefined;
  if (told === undefined) return { taken };
  if ('document' in told) return isRepeated ? { taken, changed: told.document } : { taken, allocated: told.document };
  return isRepeated
    ? {
        taken,
        changed: '',
        remark: `The whole volume is copied, as what has changed since the earlier copy is not known: ${told.why}`,
      }
    : { taken, allocated: '', remark: `Everything is read, as what is allocated is not known: ${told.why}` };
}

/** Whether pods of a copy of which a base is to be kept have been made before. */
export function hasBegun({ metadata }: PersistentVolumeClaim): boolean {
  return metadata?.annotations?.[workTakenAnnotation] !== undefined;
}
