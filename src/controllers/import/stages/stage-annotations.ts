import { createHash } from 'node:crypto';
import { stateAnnotation as names } from '../../../api/annotations.ts';
import type { ImportStage } from '../../../protocol/transfer-pod.ts';

export type Annotations = Readonly<Record<string, string>>;

const COPIED_PREFIX = `${names.checkpointCopiedPrefix}.`;
/** The longest name of an annotation, after its domain. */
const MAXIMUM_NAME_LENGTH = 63;
const HASH_LENGTH = 8;

/** Returns the stage that annotations of a claim or of a pod name; undefined where they name none. */
export function stageOf(annotations: Annotations | undefined): ImportStage | undefined {
  const current = annotations?.[names.checkpointCurrent];
  if (!current) return undefined;
  return {
    current,
    previous: annotations?.[names.checkpointPrevious] ?? '',
    isFinal: annotations?.[names.checkpointFinal] === 'true',
  };
}

/** Returns the annotations that name a stage. */
export function stageAnnotations({ previous, current, isFinal }: ImportStage): Record<string, string> {
  return {
    [names.checkpointCurrent]: current,
    [names.checkpointPrevious]: previous,
    [names.checkpointFinal]: String(isFinal),
  };
}

/**
 * Returns the name of the annotation that says which pod has copied a checkpoint. Where the checkpoint cannot be a part
 * of the name, a digest takes its place.
 */
export function copiedAnnotation(checkpoint: string): string {
  const longest = MAXIMUM_NAME_LENGTH - (COPIED_PREFIX.length - COPIED_PREFIX.indexOf('/') - 1);
  const isName = checkpoint.length <= longest && /^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$/.test(checkpoint);
  if (isName) return COPIED_PREFIX + checkpoint;
  const beginning = checkpoint.replace(/[^A-Za-z0-9_.-]+/g, '-').slice(0, longest - HASH_LENGTH - 1);
  const digest = createHash('sha256').update(checkpoint).digest('hex').slice(0, HASH_LENGTH);
  return `${COPIED_PREFIX}${beginning}-${digest}`;
}

/** Returns the UIDs of the pods that have copied a checkpoint each, by the names of their annotations. */
export function copiedOf(annotations: Annotations = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(annotations).filter(([name]) => name.startsWith(COPIED_PREFIX)));
}

/** Returns the annotations of a working claim about its stages, which its target claim shows as well. */
export function shownStages(annotations: Annotations = {}): Record<string, string> {
  const stage = stageOf(annotations);
  return {
    ...(stage ? stageAnnotations(stage) : {}),
    ...copiedOf(annotations),
    ...(isDone(annotations) ? { [names.checkpointDone]: 'true' } : {}),
  };
}

/** Returns whether every stage of a multi-stage import is complete. */
export function isDone(annotations: Annotations | undefined): boolean {
  return annotations?.[names.checkpointDone] === 'true';
}
