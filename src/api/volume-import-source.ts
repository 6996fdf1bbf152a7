import * as z from 'zod';
import { constrained, immutableExcept } from './constraint.ts';
import { CDI_API_VERSION } from './group.ts';
import { hasStages, hasStagesRule, STAGE_FIELDS, stageRules, stagesForGood } from './import-stages.ts';
import { objectMeta } from './object-meta.ts';
import { objectName } from './references.ts';
import { defineResource } from './resource-definition.ts';
import { archiveRules, importSource } from './source-fields.ts';
import { checkpoints, contentType, finalCheckpoint, preallocation } from './transfer-options.ts';

const fields = z.strictObject({
  source: importSource.describe('Where the data comes from: exactly one of the fields below.'),
  preallocation: preallocation.optional(),
  contentType: contentType.optional(),
  targetClaim: objectName.optional().describe('Claim that is filled, and no other; a multi-stage import must name it.'),
  checkpoints: checkpoints.optional(),
  finalCheckpoint: finalCheckpoint.optional(),
});

export const volumeImportSourceSpec = constrained(fields, [
  ...immutableExcept('VolumeImportSource', Object.keys(fields.shape), STAGE_FIELDS),
  ...archiveRules('source'),
  ...stageRules('source'),
  stagesForGood,
  {
    rule: `!(${hasStagesRule('self')}) || has(self.targetClaim)`,
    message: 'targetClaim must name the one claim that a multi-stage import with these checkpoints fills',
    check: (spec) => !hasStages(spec) || spec.targetClaim !== undefined,
  },
]);
export type VolumeImportSourceSpec = z.infer<typeof volumeImportSourceSpec>;

/** Populates the claims that name it in dataSourceRef by importing. */
export const volumeImportSource = z
  .strictObject({
    apiVersion: z.literal(CDI_API_VERSION),
    kind: z.literal('VolumeImportSource'),
    metadata: objectMeta,
    spec: volumeImportSourceSpec.describe('What to import. Immutable, apart from checkpoints and finalCheckpoint.'),
    status: z.strictObject({}).optional().describe('Not used.'),
  })
  .describe('An import that fills every PersistentVolumeClaim that names it in dataSourceRef.');
export type VolumeImportSource = z.infer<typeof volumeImportSource>;

export const volumeImportSources = defineResource({
  kind: 'VolumeImportSource',
  plural: 'volumeimportsources',
  namespaced: true,
  schema: volumeImportSource,
});
