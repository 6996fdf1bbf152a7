import * as z from 'zod';
import { constrained, immutable } from './constraint.ts';
import { CDI_API_VERSION } from './group.ts';
import { objectMeta } from './object-meta.ts';
import { objectName } from './references.ts';
import { defineResource } from './resource-definition.ts';
import { archiveRules, importSource } from './source-fields.ts';
import { checkpoints, contentType, finalCheckpoint, preallocation } from './transfer-options.ts';

const fields = z.strictObject({
  source: importSource.optional().describe('Where the data comes from: exactly one of the fields below.'),
  preallocation: preallocation.optional(),
  contentType: contentType.optional(),
  targetClaim: objectName.optional().describe('Claim that a multi-stage import fills.'),
  checkpoints: checkpoints.optional(),
  finalCheckpoint: finalCheckpoint.optional(),
});

export const volumeImportSourceSpec = constrained(fields, [immutable('VolumeImportSource'), ...archiveRules('source')]);
export type VolumeImportSourceSpec = z.infer<typeof volumeImportSourceSpec>;

/** Populates the claims that name it in dataSourceRef by importing. */
export const volumeImportSource = z
  .strictObject({
    apiVersion: z.literal(CDI_API_VERSION),
    kind: z.literal('VolumeImportSource'),
    metadata: objectMeta,
    spec: volumeImportSourceSpec.describe('What to import. Immutable.'),
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
