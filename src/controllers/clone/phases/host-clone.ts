import { populationAnnotation } from '../../../api/annotations.ts';
import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import { TerminalError } from '../../../kube/errors.ts';
import { isBeingDeleted } from '../../../kube/finalizers.ts';
import { keyToString } from '../../../kube/key.ts';
import { isBound } from '../../claims/bound.ts';
import { createWorkingClaim } from '../../claims/population/create-working-claim.ts';
import { promisedVolume } from '../../claims/rebind/rebind-volume.ts';
import { workSourceUidAnnotation } from '../../objects/internal-annotations.ts';
import { requireMadeFor } from '../../objects/made-for.ts';
import { readReport, troubleIn } from '../../transfers/transfer-report.ts';
import { beginWithBase, lookAfterBase } from './begin-with-base.ts';
import { claimBesideSource } from './claim-beside-source.ts';
import { keepBase } from './keep-base.ts';
import type { CloneWork, Phase } from './phase.ts';

/** Until the next look at a claim that is being restored, of which no watch tells that it fails. */
const RESTORING_MILLISECONDS = 2_000;

/** The phase HostClone: a working claim requests, by an annotation, a source pod and a target pod that copy into it. */
export const hostClone: Phase = async (work) => {
  const { caches } = work.context;
  const claim = requireMadeFor(caches.claims.get(work.workingClaim), work.target.metadata?.uid);
  if (!claim) {
    await createWorkingClaim(work.context, work.target, await copiedInto(work));
    return { message: 'the copying pods are being started' };
  }
  const isHandedOver = isBound(work.target) || promisedVolume(work.context, work.target) !== undefined;
  if (isBeingDeleted(claim) && !isHandedOver) return { message: 'the copy begins anew' };
  const base = await lookAfterBase(work, claim);
  if (base === 'removed') return { message: 'the copy begins anew' };
  const report = readReport(claim.metadata?.annotations);
  if (report?.podPhase === 'Failed') throw new TerminalError(report.reason, report.message);
  if (report?.podPhase === 'Succeeded' && isBound(claim)) return keepBase(work, claim);
  const after = base === 'restoring' && { after: RESTORING_MILLISECONDS };
  if (!report) return { message: 'the copying pods are being started', ...after };
  return { message: report.message, trouble: troubleIn(report), report, ...after };
};

async function copiedInto(work: CloneWork): Promise<PersistentVolumeClaim> {
  const { target, source } = work;
  const { annotations } = target.metadata ?? {};
  const isSnapshot = source.kind === 'VolumeSnapshot';
  const beginning = await beginWithBase(work);
  // A snapshot is not read again after it has been restored, because it may be gone by then.
  const contentType = isSnapshot ? undefined : (await source.read()).contentType;
  return claimBesideSource(work, {
    ...work.workingClaim,
    ...beginning,
    annotations: {
      ...beginning.annotations,
      [populationAnnotation.cloneRequest]: keyToString(isSnapshot ? work.temporarySourceClaim : source.key),
      ...(!isSnapshot && source.uid ? { [workSourceUidAnnotation]: source.uid } : {}),
      [populationAnnotation.contentType]: annotations?.[populationAnnotation.contentType] ?? contentType ?? 'kubevirt',
    },
  });
}
