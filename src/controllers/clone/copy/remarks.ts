import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import { warnAuthor } from '../../claims/warn-author.ts';
import { workedFor } from '../../objects/work-index.ts';
import type { CloneContext } from '../metrics/clone-count.ts';
import { holdsBase } from './changed-ranges.ts';
import type { KnownRanges } from './known-ranges.ts';

/** Warns that everything is read, where that could have been less. */
export function warnOfUnknownRanges(
  context: CloneContext,
  claim: PersistentVolumeClaim,
  { remark }: KnownRanges,
): void {
  const reason = holdsBase(claim) ? 'IncrementalCloneImpossible' : 'AllocatedRangesUnknown';
  if (remark !== undefined) warn(context, claim, { reason, message: remark });
}

/** Returns what is told while the pods of a copy are starting. */
export function startingMessage(pods: string, { remark }: KnownRanges): string {
  return [pods, ...(remark === undefined ? [] : [remark])].join('; ');
}

/** Warns that the driver of a source has said of data that it is not allocated, or of changes that there are none. */
export function warnOfWrongRanges(context: CloneContext, claim: PersistentVolumeClaim): void {
  const [reason, wrong] = holdsBase(claim)
    ? [
        'ChangedRangesWrong',
        'Everything was sent, because the driver of the source had left out some of what it said has changed',
      ]
    : [
        'AllocatedRangesWrong',
        'Everything was read, because the driver of the source had left out data of what it said is allocated',
      ];
  warn(context, claim, { reason, message: `${wrong}: the copy is complete; tell the vendor of the driver` });
}

/** Warns whoever wants the copy: the DataVolume or claim for which a working claim is filled. */
function warn(
  context: CloneContext,
  claim: PersistentVolumeClaim,
  warning: { readonly reason: string; readonly message: string },
): void {
  const [key] = workedFor(claim);
  warnAuthor(context, (key && context.caches.claims.get(key)) ?? claim, warning);
}
