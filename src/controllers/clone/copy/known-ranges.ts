import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import { ApiError, toError, WaitingError } from '../../../kube/errors.ts';
import { type Answer, LONGEST_MILLISECONDS } from '../../changed-blocks/changed-blocks.ts';
import { SNAPSHOT_PATIENCE_MILLISECONDS } from '../../claims/population/remove-when-settled.ts';
import { workTakenAnnotation } from '../../objects/internal-annotations.ts';
import { keepsBase } from '../bases/base.ts';
import type { CloneContext } from '../metrics/clone-count.ts';
import { readsAllocated } from '../planner/reads-allocated.ts';
import type { CloneSource } from '../source/source.ts';
import { whatIsAllocated } from './allocated-ranges.ts';
import { holdsBase, whatHasChanged } from './changed-ranges.ts';
import type { Inquiries, Inquiry } from './inquiries.ts';
import type { RangesOfCopy } from './objects.ts';
import { hasTaken, removeSourceSnapshot } from './source-snapshot.ts';

/** How long it may take to find out about a source. */
const LONGEST_INQUIRY_MILLISECONDS = SNAPSHOT_PATIENCE_MILLISECONDS + LONGEST_MILLISECONDS;

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
  if (!isFresh || (!isRepeated && !(await readsAllocated(context.changedBlocks, claim, source)))) return {};
  const inquiry = inquiries.look(claim, source);
  const isUsable = !inquiry.isOver;
  const told = isUsable
    ? await orWhy(ask(context, inquiry, claim, source))
    : { why: 'what was told of it may be outdated' };
  if (told === 'pending') return told;
  const isKept = keepsBase(claim) && isUsable && hasTaken(context, inquiry, claim, source);
  const forgotten = isKept ? 'deleted' : await forgetRanges(context, claim, source.key.namespace);
  // One that cannot go yet goes with the end of the copy, unless it would be taken for one of a base then.
  if (forgotten === 'waiting' && keepsBase(claim)) return 'pending';
  inquiries.end(claim);
  context.changedBlocks.forget(askerOf(claim));
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

/**
 * Removes the snapshot that was taken for an answer, and the answer.
 *
 * @returns `waiting` where the snapshot cannot be deleted yet
 */
export function forgetRanges(
  context: Pick<CloneContext, 'caches' | 'changedBlocks' | 'client' | 'now'>,
  claim: PersistentVolumeClaim,
  namespace: string,
): Promise<'deleted' | 'waiting'> {
  context.changedBlocks.forget(askerOf(claim));
  return removeSourceSnapshot(context, claim, namespace);
}

/** Whether pods of a copy of which a base is to be kept have been made before. */
export function hasBegun({ metadata }: PersistentVolumeClaim): boolean {
  return metadata?.annotations?.[workTakenAnnotation] !== undefined;
}

const askerOf = ({ metadata }: PersistentVolumeClaim): string => `${metadata?.uid} blocks`;

async function ask(
  context: CloneContext,
  inquiry: Inquiry,
  claim: PersistentVolumeClaim,
  source: CloneSource,
): Promise<Answer | 'pending' | undefined> {
  const { changedBlocks, now } = context;
  const { driver, capacity } = source;
  if (driver === undefined || capacity === 0) return undefined;
  if (now() - inquiry.began > LONGEST_INQUIRY_MILLISECONDS) return { why: 'it takes too long to find out' };
  const toAsk = holdsBase(claim) ? whatHasChanged : whatIsAllocated;
  const question = await toAsk(context, inquiry, claim, { ...source, driver });
  return typeof question === 'object' ? changedBlocks.ask(askerOf(claim), question) : question;
}

async function orWhy<T>(told: Promise<T>): Promise<T | { readonly why: string }> {
  try {
    return await told;
  } catch (error) {
    if (error instanceof ApiError || error instanceof WaitingError) return { why: toError(error).message };
    throw error;
  }
}
