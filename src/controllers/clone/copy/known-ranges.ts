import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import { dataVolumeOf } from '../../claims/data-volume-of.ts';
import { workedFor } from '../../objects/work-index.ts';
import type { CloneContext } from '../metrics/clone-count.ts';
import type { CloneSource } from '../source/source.ts';
import { allocatedRanges, forgetAllocatedRanges } from './allocated-ranges.ts';
import type { Inquiries } from './inquiries.ts';
import type { RangesOfCopy } from './objects.ts';

/** What is known of the blocks of a source, and what is to be said of it. */
export interface KnownRanges extends RangesOfCopy {
  readonly remark?: string;
}

/**
 * Returns what the driver of a source tells of its blocks, for the source pod.
 *
 * @param isFresh whether no pod of the copy has been created yet
 */
export async function knownRanges(
  context: CloneContext,
  inquiries: Inquiries,
  claim: PersistentVolumeClaim,
  source: CloneSource,
  isFresh: boolean,
): Promise<KnownRanges | 'pending'> {
  const allocated = isFresh ? await allocatedRanges(context, inquiries, claim, source) : undefined;
  if (allocated === 'pending') return allocated;
  if (allocated === undefined) return {};
  inquiries.end(claim);
  // One that cannot go yet goes with the end of the copy.
  await forgetAllocatedRanges(context, claim, source.key.namespace);
  if ('document' in allocated) return { allocated: allocated.document };
  return { allocated: '', remark: `Everything is read, as what is allocated is not known: ${allocated.why}` };
}

/** Warns that everything is read, where that could have been less. */
export function warnOfUnknownRanges(
  context: CloneContext,
  claim: PersistentVolumeClaim,
  { remark }: KnownRanges,
): void {
  if (remark !== undefined) warn(context, claim, { reason: 'AllocatedRangesUnknown', message: remark });
}

/** Returns what is told while the pods of a copy are starting. */
export function startingMessage({ remark }: KnownRanges): string {
  return ['The source pod and the target pod are starting', ...(remark === undefined ? [] : [remark])].join('; ');
}

/** Warns that the driver of a source has said of data that it is not allocated. */
export function warnOfWrongRanges(context: CloneContext, claim: PersistentVolumeClaim): void {
  warn(context, claim, {
    reason: 'AllocatedRangesWrong',
    message:
      'Everything was read, because the driver of the source had left out data of what it said is allocated: the copy is complete; tell the vendor of the driver',
  });
}

/** Warns whoever wants the copy: the DataVolume or claim for which a working claim is filled. */
function warn(
  { caches, events }: CloneContext,
  claim: PersistentVolumeClaim,
  warning: { reason: string; message: string },
): void {
  const [key] = workedFor(claim);
  const target = (key && caches.claims.get(key)) ?? claim;
  events.event(dataVolumeOf(caches, target) ?? target, { type: 'Warning', ...warning });
}
