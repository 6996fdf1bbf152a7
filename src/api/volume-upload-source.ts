import * as z from 'zod';
import { constrained, immutable } from './constraint.ts';
import { CDI_API_VERSION } from './group.ts';
import { objectMeta } from './object-meta.ts';
import { defineResource } from './resource-definition.ts';
import { contentType, preallocation } from './transfer-options.ts';

export const volumeUploadSourceSpec = constrained(
  z.strictObject({
    contentType: contentType.optional(),
    preallocation: preallocation.optional(),
  }),
  [immutable('VolumeUploadSource')],
);
export type VolumeUploadSourceSpec = z.infer<typeof volumeUploadSourceSpec>;

/** Populates the claims that name it in dataSourceRef by uploading. */
export const volumeUploadSource = z
  .strictObject({
    apiVersion: z.literal(CDI_API_VERSION),
    kind: z.literal('VolumeUploadSource'),
    metadata: objectMeta,
    spec: volumeUploadSourceSpec.describe('How to treat what is uploaded. Immutable.'),
    status: z.strictObject({}).optional().describe('Not used.'),
  })
  .describe('An upload that fills the PersistentVolumeClaim that names it in dataSourceRef.');
export type VolumeUploadSource = z.infer<typeof volumeUploadSource>;

export const volumeUploadSources = defineResource({
  kind: 'VolumeUploadSource',
  plural: 'volumeuploadsources',
  namespaced: true,
  schema: volumeUploadSource,
});
