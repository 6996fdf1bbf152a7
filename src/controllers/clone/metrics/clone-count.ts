import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import type { ControllerContext } from '../../runtime/context.ts';

/** What the reconcilers tell of the clones that they have ended, to be counted. */
export interface CloneCount {
  /**
   * A claim that a populator has cloned into has been found bound. May be told as often as one likes.
   *
   * @param now milliseconds since the epoch, as in all of these
   */
  handedOver(claim: PersistentVolumeClaim, now: number): void;
  /** Pods have copied into a claim. */
  copied(claim: PersistentVolumeClaim, now: number): void;
}

/** What the controllers of clones are given. */
export interface CloneContext extends ControllerContext {
  /** Counts the clones that succeed. */
  readonly cloneCount: CloneCount;
}
