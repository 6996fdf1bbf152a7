import { stateAnnotation } from '../../api/annotations.ts';
import type { PersistentVolumeClaim, Pod } from '../../kube/builtin-resources.ts';

/** Reason of the condition and the events of a transfer that waits for its next stage. */
export const PAUSED_REASON = 'ImportPaused';

/** Returns the message of these events, in the wording that clients of the API know. */
export const pausedMessage = (claimName: string): string => `Multistage import into PVC ${claimName} is paused`;

/** Annotations to write, and those to remove, which are null. */
export type AnnotationChanges = Readonly<Record<string, string | null>>;

/** How a transfer proceeds that several pods carry out, one after another. */
export interface TransferStages {
  /** Returns all pods that were created for the stages of a claim. */
  podsOf(claim: PersistentVolumeClaim): readonly Pod[];
  /** Returns the UIDs of the pods whose stages count as complete, whoever made them. */
  countedOf(claim: PersistentVolumeClaim): readonly string[];
  /** Returns the one of these pods whose stage does not count as complete. */
  podAtWork(claim: PersistentVolumeClaim): Pod | undefined;
  /**
   * Returns what comes next for a claim on which no pod is at work: a stage, or a pause until another one is known.
   *
   * @returns undefined where the transfer has no stages
   */
  next(
    claim: PersistentVolumeClaim,
  ): { readonly podName: string; readonly changes: AnnotationChanges } | 'pause' | undefined;
  /**
   * Returns what the claim is to say once a pod has completed its stage.
   *
   * @returns undefined where the transfer has no stages
   */
  end(
    claim: PersistentVolumeClaim,
    pod: Pod,
  ): { readonly isLast: boolean; readonly changes: AnnotationChanges } | undefined;
}

/** Returns whether the annotations are those of a claim with stages, of which the last is not complete. */
export function isBetweenStages(annotations: Readonly<Record<string, string>>): boolean {
  return (
    Boolean(annotations[stateAnnotation.checkpointCurrent]) && annotations[stateAnnotation.checkpointDone] !== 'true'
  );
}
