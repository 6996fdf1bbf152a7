import { z } from 'zod';
import { conditionsOf } from './conditions.ts';
import { V1ALPHA1, V1BETA1 } from './group.ts';
import { objectMeta } from './object-meta.ts';
import { persistentVolumeClaimSpec, storageSpec } from './persistent-volume-claim-spec.ts';
import { dataVolumePhases } from './phases.ts';
import { namespaceName, objectName } from './references.ts';
import { ageColumn, defineResource } from './resource-definition.ts';
import { dataVolumeSource } from './sources.ts';
import { checkpoints, contentType, finalCheckpoint, preallocation } from './transfer-options.ts';

export const dataVolumeConditionTypes = ['Bound', 'Ready', 'Running'] as const;
export type DataVolumeConditionType = (typeof dataVolumeConditionTypes)[number];

export const dataVolumeSourceRef = z
  .strictObject({
    kind: z.enum(['DataSource']).describe('DataSource.'),
    namespace: namespaceName
      .optional()
      .describe(
        'Namespace of the DataSource, the own one where it is missing; the user needs the right to clone from it.',
      ),
    name: objectName.describe('Name of the DataSource.'),
  })
  .describe('A DataSource that says what to clone. Instead of source.');
export type DataVolumeSourceRef = z.infer<typeof dataVolumeSourceRef>;

const dataVolumeSpecFields = z.strictObject({
  source: dataVolumeSource.optional().describe('Where the data comes from: exactly one of the fields below.'),
  sourceRef: dataVolumeSourceRef.optional(),
  pvc: persistentVolumeClaimSpec.optional().describe('The claim to make, exactly as written. Either this or storage.'),
  storage: storageSpec
    .optional()
    .describe(
      'The claim to make, completed from the StorageProfile, and large enough for a disk of the requested size. Either this or pvc.',
    ),
  priorityClassName: z.string().max(253).optional().describe('PriorityClass of the transfer pods.'),
  serviceAccountName: z.string().max(253).optional().describe('ServiceAccount of the transfer pods.'),
  contentType: contentType.optional(),
  checkpoints: checkpoints.optional(),
  finalCheckpoint: finalCheckpoint.optional(),
  preallocation: preallocation.optional(),
});

export const dataVolumeSpec = dataVolumeSpecFields;
export type DataVolumeSpec = z.infer<typeof dataVolumeSpec>;

export const dataVolumeStatus = z.strictObject({
  claimName: z.string().optional().describe('Name of the claim that holds, or will hold, the data.'),
  phase: z.enum(dataVolumePhases).optional().describe('What is happening now; Succeeded when the data is in place.'),
  progress: z.string().optional().describe('Share of the data that is in place, such as 45.20%, or N/A.'),
  restartCount: z.int32().optional().describe('How often a transfer pod of this DataVolume was restarted.'),
  conditions: conditionsOf(dataVolumeConditionTypes)
    .optional()
    .describe('Bound: the claim has a volume. Running: data is being transferred. Ready: the data is in place.'),
});
export type DataVolumeStatus = z.infer<typeof dataVolumeStatus>;
export type DataVolumeCondition = NonNullable<DataVolumeStatus['conditions']>[number];

/** A claim and what to fill it with. */
export const dataVolume = z
  .strictObject({
    apiVersion: z.enum(['cdi.kubevirt.io/v1beta1', 'cdi.kubevirt.io/v1alpha1']),
    kind: z.literal('DataVolume'),
    metadata: objectMeta,
    spec: dataVolumeSpec.describe('What to make. Immutable, apart from checkpoints and finalCheckpoint.'),
    status: dataVolumeStatus.optional().describe('What has become of it.'),
  })
  .describe('A disk to make: a PersistentVolumeClaim, and where its data comes from.');
export type DataVolume = z.infer<typeof dataVolume>;

export const dataVolumeResource = defineResource({
  kind: 'DataVolume',
  plural: 'datavolumes',
  scope: 'Namespaced',
  versions: [V1BETA1, V1ALPHA1],
  shortNames: ['dv', 'dvs'],
  categories: ['all'],
  printerColumns: [
    { name: 'Phase', type: 'string', jsonPath: '.status.phase', description: 'What is happening now' },
    { name: 'Progress', type: 'string', jsonPath: '.status.progress', description: 'Share of the data in place' },
    { name: 'Restarts', type: 'integer', jsonPath: '.status.restartCount', description: 'Restarts of transfer pods' },
    ageColumn,
  ],
  statusSubresource: true,
  schema: dataVolume,
});
