import { stateAnnotation, userAnnotation } from '../../../api/annotations.ts';
import { type VolumeImportSource, volumeImportSources } from '../../../api/volume-import-source.ts';
import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import { WaitingError } from '../../../kube/errors.ts';
import { pickAnnotations } from '../../objects/pick-annotations.ts';
import type { PopulationKind } from '../../transfers/population/population-kind.ts';
import { importAnnotations } from '../importer/annotations.ts';
import { firstStageAnnotations } from '../stages/plan-of-claim.ts';
import { shownStages } from '../stages/stage-annotations.ts';
import { importWords } from '../words.ts';

/** Imports for the claims that name a VolumeImportSource. */
export const importPopulation: PopulationKind<VolumeImportSource> = {
  name: 'import-populator',
  fieldManager: 'diskpress-import-populator',
  resource: volumeImportSources,
  work: 'import',
  words: importWords,
  podNameAnnotation: stateAnnotation.importPodName,
  cacheOf: ({ importSources }) => importSources,
  requestAnnotations: ({ spec }, target, config) => ({
    ...pickAnnotations(target.metadata?.annotations, [userAnnotation.importFormat, userAnnotation.vddkInitImageUrl]),
    ...importAnnotations(spec.source ?? {}, {
      contentType: spec.contentType ?? 'kubevirt',
      preallocation: spec.preallocation ?? config.preallocation,
    }),
    ...firstStageAnnotations(spec),
  }),
  shownAnnotations: shownStages,
  requireTarget,
};

function requireTarget({ metadata, spec: { targetClaim } }: VolumeImportSource, target: PersistentVolumeClaim): void {
  const { name } = target.metadata ?? {};
  if (!targetClaim || targetClaim === name) return;
  throw new WaitingError(
    'OtherTargetClaim',
    `VolumeImportSource "${metadata.name}" fills claim "${targetClaim}" alone, which its targetClaim names; make one for claim "${name}"`,
  );
}
