import { populationAnnotation, stateAnnotation } from '../../api/annotations.ts';
import type { PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import { isBound } from '../claims/bound.ts';
import { populatedFrom } from '../claims/population/populated-from.ts';
import { clonePlanAnnotation, workForAnnotation } from '../objects/internal-annotations.ts';
import { readReport, type TransferReport } from '../transfers/transfer-report.ts';

/** A summary of the clone into a claim, to be shown to people or counted. */
export interface CloneView {
  /** Whether the host-assisted copy writes into the claim itself, without a populator. */
  readonly isDirect: boolean;
  readonly isComplete: boolean;
  /**
   * One of {@link import('../../api/clone.ts').cloneTypes} once the clone is planned, or any other value that a user
   * wrote.
   */
  readonly strategy: string | undefined;
  /** One of {@link import('../../api/clone.ts').clonePhases}, or any other value that a user wrote. */
  readonly phase: string | undefined;
  /** One of {@link import('../../api/clone.ts').cloneFallbackReasons}, or any other value that a user wrote. */
  readonly fallbackReason: string | undefined;
  /** The plan in words, once there is one. */
  readonly plan: string | undefined;
  readonly report: TransferReport | undefined;
  /** The name of the VolumeCloneSource; undefined where the copy is direct. */
  readonly cloneSource: string | undefined;
  /** The `namespace/name` of the claim that is copied directly. */
  readonly requested: string | undefined;
}

/**
 * Returns the summary of the clone into a claim; undefined where there is none, and for working claims of other clones.
 * This is a pure function.
 */
export function cloneViewOf(claim: PersistentVolumeClaim): CloneView | undefined {
  const annotations = claim.metadata?.annotations ?? {};
  const requested = annotations[populationAnnotation.cloneRequest];
  const cloneSource = populatedFrom(claim, 'VolumeCloneSource');
  const isDirect = requested !== undefined && cloneSource === undefined;
  if (annotations[workForAnnotation] !== undefined || (!isDirect && cloneSource === undefined)) return undefined;
  const report = readReport(annotations);
  return {
    isDirect,
    isComplete: isDirect ? report?.podPhase === 'Succeeded' : isBound(claim),
    strategy: annotations[stateAnnotation.cloneType],
    phase: annotations[stateAnnotation.clonePhase],
    fallbackReason: annotations[stateAnnotation.cloneFallbackReason],
    plan: annotations[clonePlanAnnotation],
    report,
    cloneSource,
    requested,
  };
}
