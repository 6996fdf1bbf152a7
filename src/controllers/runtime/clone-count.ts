import type { PersistentVolumeClaim } from '../../kube/builtin-resources.ts';

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
