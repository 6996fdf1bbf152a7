import { hasStages, type StagedSpec } from '../../../api/import-stages.ts';
import { volumeImportSources } from '../../../api/volume-import-source.ts';
import { controllerOf } from '../../../kube/apply.ts';
import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import { keyOf } from '../../../kube/key.ts';
import { dataVolumeOf } from '../../claims/data-volume-of.ts';
import { populatedFrom } from '../../claims/population/populated-from.ts';
import { isPrimeOfCdi } from '../../objects/left-by-cdi.ts';
import { workedFor } from '../../objects/work-index.ts';
import type { Caches } from '../../runtime/caches.ts';
import { firstStage, type StagePlan } from './decide.ts';
import { isDone, stageAnnotations, stageOf } from './stage-annotations.ts';

type PlanCaches = Pick<Caches, 'claims' | 'dataVolumes' | 'importSources'>;

/**
 * Returns the stages that are known of a claim's import: those of the VolumeImportSource of a working claim's target,
 * or of a claim's DataVolume. Any other claim, and one whose author's object is missing at the moment, has the one
 * stage that its annotations name.
 *
 * @returns undefined where the whole disk is imported at once, or every stage is complete
 */
export function planOfClaim(caches: PlanCaches, claim: PersistentVolumeClaim): StagePlan | undefined {
  const { annotations } = claim.metadata ?? {};
  if (isDone(annotations)) return undefined;
  const spec = specOf(caches, claim);
  if (spec && hasStages(spec)) return planOfSpec(spec);
  const recorded = stageOf(annotations);
  return recorded && { checkpoints: [recorded], isFinal: recorded.isFinal };
}

/** Returns the stages that a spec names. */
export function planOfSpec({ checkpoints = [], finalCheckpoint = false }: StagedSpec): StagePlan {
  return { checkpoints, isFinal: finalCheckpoint };
}

/** Returns the annotations of a new claim that name the first stage of a spec; none where it has no stages. */
export function firstStageAnnotations(spec: StagedSpec): Record<string, string> {
  const first = firstStage(planOfSpec(spec));
  return first ? stageAnnotations(first) : {};
}

function specOf(caches: PlanCaches, claim: PersistentVolumeClaim) {
  const target = targetOf(caches, claim);
  if (!target) return dataVolumeOf(caches, claim)?.spec;
  const name = populatedFrom(target, volumeImportSources.kind);
  return name ? caches.importSources.get({ namespace: keyOf(claim).namespace, name })?.spec : undefined;
}

/** Returns the claim that a working claim, ours or one of CDI, is filled for. */
function targetOf(caches: PlanCaches, claim: PersistentVolumeClaim): PersistentVolumeClaim | undefined {
  const { name = '', uid = '' } = controllerOf(claim) ?? {};
  const keys = isPrimeOfCdi(claim, uid) ? [{ ...keyOf(claim), name }] : workedFor(claim);
  return keys.map((key) => caches.claims.get(key)).find((target) => target !== undefined);
}
