import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import type { ObjectKey } from '../../../kube/key.ts';
import type { ChangedBlocks } from '../../changed-blocks/changed-blocks.ts';
import type { ControllerContext } from '../../runtime/context.ts';
import type { TransferReport } from '../../transfers/transfer-report.ts';
import type { ClonePlan } from '../planner/planner.ts';
import type { CloneSource, CloneSourceKind } from '../source/source.ts';
import type { TemporaryName } from '../strategies/temporaries.ts';

/** The objects that a phase works on, and the names of its temporary objects in the source's namespace. */
export interface CloneWork extends Readonly<Record<TemporaryName, ObjectKey>> {
  readonly context: ControllerContext;
  readonly changedBlocks: Pick<ChangedBlocks, 'has'>;
  readonly target: PersistentVolumeClaim;
  readonly plan: Pick<ClonePlan, 'cloneType'>;
  readonly source: {
    readonly kind: CloneSourceKind;
    readonly key: ObjectKey;
    /** The uid of the object that was granted, where it is in another namespace. */
    readonly uid: string | undefined;
    /**
     * Reads the source. It must be called only where something still has to be created from the source, which may be
     * deleted afterwards.
     *
     * @throws WaitingError while the source does not exist, is not ready, or is in use
     */
    readonly read: () => Promise<CloneSource>;
  };
}

/** The outcome of one call of a phase. */
export type PhaseOutcome =
  | 'complete'
  | {
      /** A description of what the phase waits for, for people. */
      readonly message: string;
      /** The reason, in CamelCase, where a problem keeps the phase waiting. */
      readonly trouble?: string | undefined;
      /** Milliseconds until the next look, should no watch trigger one first. */
      readonly after?: number;
      /** The report on the copying pods, where there are any. */
      readonly report?: TransferReport | undefined;
    };

/**
 * One step of a clone, which creates what is missing, and returns whether it is complete. It derives its state from the
 * objects alone and is called again at every change, even after it was complete.
 *
 * @throws TerminalError where the clone is impossible
 */
export type Phase = (work: CloneWork) => Promise<PhaseOutcome>;
