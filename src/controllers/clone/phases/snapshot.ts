import { keyToString } from '../../../kube/key.ts';
import { snapshotTrouble, type VolumeSnapshot, volumeSnapshots } from '../../../kube/snapshot-resources.ts';
import { createIfAbsent } from '../../objects/create-if-absent.ts';
import { marksFor, requireMadeFor } from '../../objects/made-for.ts';
import { gatherFacts } from '../planner/facts.ts';
import { withAdvice } from './advice.ts';
import type { CloneWork, Phase } from './phase.ts';

/**
 * The phase Snapshot: a temporary VolumeSnapshot of the source claim is taken. It is not needed any more once it has
 * been restored.
 */
export const snapshot: Phase = async (work) => {
  const { context, temporarySnapshot } = work;
  const { uid } = work.target.metadata ?? {};
  if (requireMadeFor(context.caches.claims.get(work.workingClaim), uid)) return 'complete';
  const current = requireMadeFor(context.caches.snapshots.get(temporarySnapshot), uid);
  if (current?.status?.readyToUse) return 'complete';
  const message = `snapshot ${keyToString(temporarySnapshot)} is being taken`;
  if (!current) {
    await createIfAbsent(context.client, volumeSnapshots, await temporarySnapshotOf(work));
    return { message };
  }
  const trouble = snapshotTrouble(current);
  if (!trouble) return { message };
  return { message: `${message}: ${withAdvice(trouble, work)}`, trouble: 'SnapshotFailed' };
};

async function temporarySnapshotOf({ context, target, source, temporarySnapshot }: CloneWork): Promise<VolumeSnapshot> {
  const { snapshotClass } = gatherFacts(context, target, await source.read());
  return {
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind: 'VolumeSnapshot',
    metadata: {
      ...temporarySnapshot,
      ...marksFor(target),
    },
    spec: {
      source: { persistentVolumeClaimName: source.key.name },
      ...(snapshotClass ? { volumeSnapshotClassName: snapshotClass } : {}),
    },
  };
}
