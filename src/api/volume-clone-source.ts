import * as z from 'zod';
import { constrained } from './constraint.ts';
import { CDI_API_VERSION } from './group.ts';
import { objectMeta } from './object-meta.ts';
import { typedLocalObjectReference } from './references.ts';
import { defineResource } from './resource-definition.ts';
import { preallocation } from './transfer-options.ts';

export const SNAPSHOT_GROUP = 'snapshot.storage.k8s.io';

const cloneSource = constrained(typedLocalObjectReference, [
  {
    rule: `self.kind == 'PersistentVolumeClaim' ? (!has(self.apiGroup) || self.apiGroup == '') : (self.kind == 'VolumeSnapshot' && has(self.apiGroup) && self.apiGroup == '${SNAPSHOT_GROUP}')`,
    message: `source must be a PersistentVolumeClaim, or a VolumeSnapshot of apiGroup ${SNAPSHOT_GROUP}`,
    check: ({ kind, apiGroup = '' }) =>
      (kind === 'PersistentVolumeClaim' && apiGroup === '') ||
      (kind === 'VolumeSnapshot' && apiGroup === SNAPSHOT_GROUP),
  },
]);

export const volumeCloneSourceSpec = z.strictObject({
  source: cloneSource.describe('The PersistentVolumeClaim or VolumeSnapshot to clone.'),
  preallocation: preallocation.optional(),
  priorityClassName: z.string().max(253).optional().describe('PriorityClass of the transfer pods.'),
});
export type VolumeCloneSourceSpec = z.infer<typeof volumeCloneSourceSpec>;

/** Populates the claims that name it in dataSourceRef by cloning. */
export const volumeCloneSource = z
  .strictObject({
    apiVersion: z.literal(CDI_API_VERSION),
    kind: z.literal('VolumeCloneSource'),
    metadata: objectMeta,
    spec: volumeCloneSourceSpec.describe('What to clone.'),
  })
  .describe(
    'A claim or snapshot whose clone fills every PersistentVolumeClaim that names this object in dataSourceRef.',
  );
export type VolumeCloneSource = z.infer<typeof volumeCloneSource>;

export const volumeCloneSources = defineResource({
  kind: 'VolumeCloneSource',
  plural: 'volumeclonesources',
  namespaced: true,
  schema: volumeCloneSource,
});
