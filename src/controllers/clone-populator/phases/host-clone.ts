import { populationAnnotation } from '../../../api/annotations.ts';
import { persistentVolumeClaims } from '../../../kube/builtin-resources.ts';
import { TerminalError } from '../../../kube/errors.ts';
import { keyToString } from '../../../kube/key.ts';
import { isBound } from '../../populator/bound.ts';
import { workingClaim } from '../../populator/working-claim.ts';
import { readReport } from '../../transfer-report.ts';
import type { Phase } from './phase.ts';
import { createIfAbsent } from '../../create-if-absent.ts';

/** HostClone: a working claim that asks, by annotation, for a source pod and a target pod that copy into it. */
export const hostClone: Phase = async ({ context, target, source, ...work }) => {
  const { client, caches } = context;
  const claim = caches.claims.get(work.workingClaim);
  if (!claim) {
    const from = source.kind === 'VolumeSnapshot' ? work.temporarySourceClaim : source.key;
    const desired = workingClaim(target, {
      ...work.workingClaim,
      annotations: {
        [populationAnnotation.cloneRequest]: keyToString(from),
        [populationAnnotation.contentType]:
          target.metadata?.annotations?.[populationAnnotation.contentType] ?? source.contentType,
      },
    });
    await createIfAbsent(client, persistentVolumeClaims, desired);
    return { message: 'the copying pods are being started' };
  }
  const report = readReport(claim.metadata?.annotations);
  if (report?.podPhase === 'Failed') throw new TerminalError(report.reason, report.message);
  if (report?.podPhase === 'Succeeded' && isBound(claim)) return 'complete';
  return { message: report?.message ?? 'the copying pods are being started', report };
};
