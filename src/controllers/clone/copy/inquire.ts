import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import { ApiError, toError, WaitingError } from '../../../kube/errors.ts';
import { type Answer, LONGEST_MILLISECONDS } from '../../changed-blocks/changed-blocks.ts';
import { SNAPSHOT_PATIENCE_MILLISECONDS } from '../../claims/population/remove-when-settled.ts';
import type { CloneContext } from '../metrics/clone-count.ts';
import { readsAllocated } from '../planner/reads-allocated.ts';
import type { CloneSource } from '../source/source.ts';
import { whatIsAllocated } from './allocated-ranges.ts';
import { holdsBase, whatHasChanged } from './changed-ranges.ts';
import type { Inquiry } from './inquiries.ts';
import { removeSourceSnapshot } from './source-snapshot.ts';

/** How long it may take to find out about a source. */
const LONGEST_INQUIRY_MILLISECONDS = SNAPSHOT_PATIENCE_MILLISECONDS + LONGEST_MILLISECONDS;

/** Whether the driver of a source is asked for a copy, as far as that depends on what is copied. */
export async function isWorthAsking(
  { changedBlocks }: Pick<CloneContext, 'changedBlocks'>,
  claim: PersistentVolumeClaim,
  source: CloneSource,
): Promise<boolean> {
  return holdsBase(claim) || readsAllocated(changedBlocks, claim, source);
}

/**
 * Asks the driver of a source what has changed, or is allocated. It has to be called again and again until there is an
 * answer.
 *
 * @returns undefined where the driver can tell nothing of such a source
 */
export async function inquire(
  context: CloneContext,
  inquiry: Inquiry,
  claim: PersistentVolumeClaim,
  source: CloneSource,
): Promise<Answer | 'pending' | undefined> {
  try {
    const told = await ask(context, inquiry, claim, source);
    const takesTooLong = context.now() - inquiry.began > LONGEST_INQUIRY_MILLISECONDS;
    return told === 'pending' && takesTooLong ? { why: 'it takes too long to find out' } : told;
  } catch (error) {
    if (error instanceof ApiError || error instanceof WaitingError) return { why: toError(error).message };
    throw error;
  }
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
  forgetAnswer(context, claim);
  return removeSourceSnapshot(context, claim, namespace);
}

/** Forgets what the driver has answered, or will. */
export function forgetAnswer(
  { changedBlocks }: Pick<CloneContext, 'changedBlocks'>,
  claim: PersistentVolumeClaim,
): void {
  changedBlocks.forget(askerOf(claim));
}

const askerOf = ({ metadata }: PersistentVolumeClaim): string => `${metadata?.uid} blocks`;

async function ask(
  context: CloneContext,
  inquiry: Inquiry,
  claim: PersistentVolumeClaim,
  source: CloneSource,
): Promise<Answer | 'pending' | undefined> {
  const { driver, capacity } = source;
  if (driver === undefined || capacity === 0) return undefined;
  const toAsk = holdsBase(claim) ? whatHasChanged : whatIsAllocated;
  const question = await toAsk(context, inquiry, claim, { ...source, driver });
  return typeof question === 'object' ? context.changedBlocks.ask(askerOf(claim), question) : question;
}
