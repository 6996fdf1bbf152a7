import { csiClone } from '../phases/csi-clone.ts';
import { hostClone } from '../phases/host-clone.ts';
import type { CloneWork, Phase, PhaseOutcome } from '../phases/phase.ts';
import { prepClaim } from '../phases/prep-claim.ts';
import { rebind } from '../phases/rebind.ts';
import { snapshot } from '../phases/snapshot.ts';
import { snapshotClone } from '../phases/snapshot-clone.ts';
import type { WorkingPhase } from '../strategies/strategy.ts';

const PHASES: Readonly<Record<WorkingPhase, Phase>> = {
  Snapshot: snapshot,
  SnapshotClone: snapshotClone,
  CSIClone: csiClone,
  HostClone: hostClone,
  PrepClaim: prepClaim,
  Rebind: rebind,
};

/** Runs the phases up to the first one that is not complete; returns undefined when all of them are. */
export async function runChain(
  work: CloneWork,
  phases: readonly WorkingPhase[],
): Promise<{ phase: WorkingPhase; outcome: Exclude<PhaseOutcome, 'complete'> } | undefined> {
  for (const phase of phases) {
    const outcome = await PHASES[phase](work);
    if (outcome !== 'complete') return { phase, outcome };
  }
  return undefined;
}
