import { stateAnnotation } from '../../../api/annotations.ts';
import type { Checkpoint } from '../../../api/transfer-options.ts';
import type { ImportStage } from '../../../protocol/transfer-pod.ts';
import type { AnnotationChanges } from '../../transfers/transfer-stages.ts';
import { type Annotations, copiedAnnotation, copiedOf, stageAnnotations } from './stage-annotations.ts';

/** The stages that are known of an import. */
export interface StagePlan {
  readonly checkpoints: readonly Checkpoint[];
  /** Whether the last one of the checkpoints is the last of all. */
  readonly isFinal: boolean;
}

/** What comes next for an import on which no pod is at work. */
export interface NextStage {
  readonly stage: ImportStage;
  /** What the claim's annotations have yet to say before the stage may begin. */
  readonly changes: AnnotationChanges;
}

/** What the end of a stage means. */
export interface StageEnd {
  /** Whether the import is complete. */
  readonly isLast: boolean;
  readonly changes: AnnotationChanges;
}

/**
 * Returns the plan of a claim's first stage.
 *
 * @returns undefined where there are no stages
 */
export function firstStage({ checkpoints, isFinal }: StagePlan): ImportStage | undefined {
  const [first, ...others] = checkpoints;
  return first && { ...first, isFinal: isFinal && others.length === 0 };
}

/**
 * Decides which stage is next: the first one that has not been copied. Where it turns out only afterwards that the last
 * stage was the final one, it is repeated as such, because only the final stage gives the disk its size. This is a pure
 * function.
 *
 * @param annotations of the claim that is written
 * @param bound the stage that the target may hold parts of, and that has to be completed before any other
 * @returns undefined where the import has to wait for another checkpoint
 */
export function nextStage(plan: StagePlan, annotations: Annotations, bound?: ImportStage): NextStage | undefined {
  const isCopied = ({ current }: Checkpoint) => annotations[copiedAnnotation(current)] !== undefined;
  const { checkpoints, isFinal } = plan;
  const last = checkpoints.at(-1);
  const open = bound && !isCopied(bound) ? bound : checkpoints.find((checkpoint) => !isCopied(checkpoint));
  const next = open ?? (isFinal ? last : undefined);
  if (!next) return undefined;
  const { previous, current } = next;
  const stage = { previous, current, isFinal: isFinal && current === last?.current };
  const wanted = { ...stageAnnotations(stage), ...(open ? {} : { [copiedAnnotation(current)]: null }) };
  const changes = Object.entries(wanted).filter(([name, value]) => (annotations[name] ?? null) !== value);
  return { stage, changes: Object.fromEntries(changes) };
}

/**
 * Decides what a claim is to say once a pod has completed a stage. This is a pure function.
 *
 * @param annotations of the claim that is written
 */
export function endOfStage(
  { checkpoints }: StagePlan,
  annotations: Annotations,
  pod: { readonly stage: ImportStage; readonly uid: string },
): StageEnd {
  const { stage, uid } = pod;
  const copied = { ...copiedOf(annotations), [copiedAnnotation(stage.current)]: uid };
  const isLast = stage.isFinal && checkpoints.every(({ current }) => copied[copiedAnnotation(current)] !== undefined);
  if (!isLast) return { isLast, changes: { [copiedAnnotation(stage.current)]: uid } };
  const over = [...Object.keys(stageAnnotations(stage)), ...Object.keys(copiedOf(annotations))];
  return {
    isLast,
    changes: {
      ...Object.fromEntries(over.map((name) => [name, null])),
      [stateAnnotation.checkpointDone]: 'true',
    },
  };
}
