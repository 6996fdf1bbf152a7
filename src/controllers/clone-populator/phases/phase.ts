import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import type { Key } from '../../../kube/key.ts';
import type { ControllerContext } from '../../context.ts';
import type { TransferReport } from '../../transfer-report.ts';
import type { ClonePlan } from '../planner.ts';
import type { CloneSource } from '../source.ts';

/** What a phase works on. */
export interface CloneWork {
  readonly context: ControllerContext;
  readonly target: PersistentVolumeClaim;
  readonly source: CloneSource;
  readonly plan: ClonePlan;
  /** Name and class of the temporary snapshot, in the source's namespace. */
  readonly temporarySnapshot: Key;
  /** The claim that the data is brought into, in the source's namespace. */
  readonly workingClaim: Key;
  /** The claim that stands in for a snapshot that has to be copied, in the source's namespace. */
  readonly temporarySourceClaim: Key;
  readonly snapshotClass: string | undefined;
}

/** How a phase stands. */
export type PhaseOutcome =
  | 'complete'
  | {
      /** What it waits for, for people. */
      readonly message: string;
      /** Milliseconds until the next look, should no watch come first. */
      readonly after?: number;
      /** How the copying pods fare, where there are any. */
      readonly report?: TransferReport | undefined;
    };

/**
 * One step of a clone: makes what is missing, and says whether it is complete. It is told by the objects alone and
 * called again at every change, also after it was complete.
 *
 * @throws TerminalError where the clone cannot be made
 */
export type Phase = (work: CloneWork) => Promise<PhaseOutcome>;
