import { populationAnnotation, stateAnnotation } from '../../api/annotations.ts';
import type { PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import { isBound } from '../claims/bound.ts';
import { populatedFrom } from '../claims/population/populated-from.ts';
import { workForAnnotation } from '../objects/internal-annotations.ts';
import { readReport, type TransferReport } from '../transfers/transfer-report.ts';

/** What a claim tells of the clone that is made into it, for whoever shows clones to people or counts them. */
export interface CloneView {
  /** Whether the host-assisted copy writes into the claim itself, without a populator. */
  readonly isDirect: boolean;
  readonly isComplete: boolean;
  /** Of {@link import('../../api/clone.ts').cloneTypes}, once it is planned; users may write anything. */
  readonly strategy: string | undefined;
  /** Of {@link import('../../api/clone.ts').clonePhases}; users may write anything. */
  readonly phase: string | undefined;
  /** Of {@link import('../../api/clone.ts').cloneFallbackReasons}; users may write anything. */
  readonly fallbackReason: string | undefined;
  readonly report: TransferReport | undefined;
  /** The name of the VolumeCloneSource; undefined where the copy is direct. */
  readonly cloneSource: string | undefined;
  /** `namespace/name` of the claim that is copied directly. */
  readonly requested: string | undefined;
}

/** The clone that is made into a claim; undefined where none is, and of claims that only help with another one's. Pure. */
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
    report,
    cloneSource,
    requested,
  };
}
