import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import type { Key } from '../../../kube/key.ts';
import type { ControllerContext } from '../../runtime/context.ts';
import type { TransferReport } from '../../transfers/transfer-report.ts';
import type { ClonePlan } from '../planner/planner.ts';
import type { TemporaryName } from '../strategies/temporaries.ts';
import type { CloneSource, CloneSourceKind } from '../source/source.ts';

/** What a phase works on, and where its temporary objects are, in the source's namespace. */
export interface CloneWork extends Readonly<Record<TemporaryName, Key>> {
  readonly context: ControllerContext;
  readonly target: PersistentVolumeClaim;
  readonly plan: Pick<ClonePlan, 'cloneType'>;
  readonly source: {
    readonly kind: CloneSourceKind;
    readonly key: Key;
    /** Of the one object that is granted, where it is in another namespace. */
    readonly uid: string | undefined;
    /**
     * Reads it. To be called only where something has still to be made of it: it may be gone once that was made.
     *
     * @throws WaitingError while it is not there, not ready, or in use
     */
    readonly read: () => Promise<CloneSource>;
  };
}

/** How a phase stands. */
export type PhaseOutcome =
  | 'complete'
  | {
      /** What it waits for, for people. */
      readonly message: string;
      /** CamelCase; what is in the way, where something is. */
      readonly trouble?: string | undefined;
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
