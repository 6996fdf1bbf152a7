import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import type { ChangedBlocks } from '../../changed-blocks/changed-blocks.ts';
import type { ControllerContext } from '../../runtime/context.ts';

/** Counts the clones that the reconcilers report as complete. */
export interface CloneCount {
  /**
   * Reports that a claim that a populator has cloned into is bound. Repeated reports count once.
   *
   * @param now milliseconds since the epoch, as in all of these methods
   */
  handedOver(claim: PersistentVolumeClaim, now: number): void;
  /** Reports that pods have completed the copy into a claim. */
  copied(claim: PersistentVolumeClaim, now: number): void;
}

/** The context of the clone controllers. */
export interface CloneContext extends ControllerContext {
  /** Counts successful clones. */
  readonly cloneCount: CloneCount;
  /** Asks CSI drivers what has changed between snapshots. */
  readonly changedBlocks: ChangedBlocks;
}
