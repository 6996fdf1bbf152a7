import * as z from 'zod';
import { conditionsOf } from './conditions.ts';
import { constrained, exactlyOneOf, immutableExcept } from './constraint.ts';
import { V1ALPHA1 } from './group.ts';
import { STAGE_FIELDS, stageRules, stagesForGood } from './import-stages.ts';
import { objectMeta } from './object-meta.ts';
import {
  persistentVolumeClaimSpec,
  storageSpec,
  type VolumeResourceRequirements,
} from './persistent-volume-claim-spec.ts';
import { dataVolumePhases } from './phases.ts';
import { namespaceReference, objectName } from './references.ts';
import { ageColumn, defineResource } from './resource-definition.ts';
import { archiveRules, dataVolumeSource, populationRule } from './source-fields.ts';
import { givenSource, sources } from './sources.ts';
import { checkpoints, contentType, finalCheckpoint, preallocation } from './transfer-options.ts';

export const dataVolumeConditionTypes = ['Bound', 'Ready', 'Running'] as const;
export type DataVolumeConditionType = (typeof dataVolumeConditionTypes)[number];

export const dataVolumeSourceRef = z
  .strictObject({
    kind: z.enum(['DataSource']).describe('DataSource.'),
    namespace: namespaceReference
      .optional()
      .describe(
        'Namespace of the DataSource, the own one where it is missing or empty; the user needs the right to clone from it.',
      ),
    name: objectName.describe('Name of the DataSource.'),
  })
  .describe('A DataSource that says what to clone. Instead of source.');
export type DataVolumeSourceRef = z.infer<typeof dataVolumeSourceRef>;

const fields = z.strictObject({
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

type Fields = z.infer<typeof fields>;

/** Reports whether the claim is populated from the source that its own dataSource or dataSourceRef names. */
const hasOwnDataSource = ({ pvc, storage }: Fields) =>
  [pvc, storage].some((claim) => claim?.dataSource !== undefined || claim?.dataSourceRef !== undefined);

const hasOwnDataSourceRule = `(${['pvc', 'storage']
  .flatMap((claim) =>
    ['dataSource', 'dataSourceRef'].map((field) => `has(self.${claim}) && has(self.${claim}.${field})`),
  )
  .join(' || ')})`;

/** Reports whether the size of the data is given by another volume. */
const isClone = ({ source, sourceRef }: Fields) =>
  sourceRef !== undefined || givenSource(sources, source ?? {})?.population === 'clone';

const isCloneRule = `has(self.sourceRef) || has(self.source) && (${populationRule('clone')})`;

const hasSize = (claim: { resources?: VolumeResourceRequirements }) => claim.resources?.requests?.storage !== undefined;

const hasSizeRule = (claim: string) =>
  `has(${claim}.resources) && has(${claim}.resources.requests) && 'storage' in ${claim}.resources.requests`;

/** The spec of a DataVolume that has yet to be created. */
export const dataVolumeTemplateSpec = constrained(fields, [
  exactlyOneOf('spec', ['pvc', 'storage']),
  {
    rule: `${hasOwnDataSourceRule} || has(self.source) || has(self.sourceRef)`,
    message: 'spec must have source or sourceRef, to say where the data comes from',
    check: (spec) => hasOwnDataSource(spec) || spec.source !== undefined || spec.sourceRef !== undefined,
  },
  {
    rule: '!(has(self.source) && has(self.sourceRef))',
    message: 'spec must have exactly one of source, sourceRef, but has both',
    check: ({ source, sourceRef }) => source === undefined || sourceRef === undefined,
  },
  {
    rule: `!(${hasOwnDataSourceRule} && (has(self.source) || has(self.sourceRef)))`,
    message: 'spec must have no source or sourceRef where its pvc or storage has a dataSource or dataSourceRef',
    check: (spec) => !hasOwnDataSource(spec) || (spec.source === undefined && spec.sourceRef === undefined),
  },
  {
    rule: '!has(self.pvc) || has(self.pvc.accessModes) && self.pvc.accessModes.size() > 0',
    message: 'spec.pvc.accessModes must have at least one access mode; spec.storage finds one by itself',
    check: ({ pvc }) => pvc === undefined || (pvc.accessModes ?? []).length > 0,
  },
  {
    rule: '!has(self.pvc) || !has(self.pvc.accessModes) || self.pvc.accessModes.size() <= 1',
    message: 'spec.pvc.accessModes must have no more than one access mode',
    check: ({ pvc }) => (pvc?.accessModes ?? []).length <= 1,
  },
  ...archiveRules('spec.source'),
  ...stageRules('spec.source'),
  {
    rule: `!has(self.pvc) || ${hasSizeRule('self.pvc')}`,
    message: 'spec.pvc.resources.requests.storage must give the size of the volume',
    check: ({ pvc }) => pvc === undefined || hasSize(pvc),
  },
  {
    rule: `!has(self.storage) || ${hasSizeRule('self.storage')} || ${isCloneRule}`,
    message:
      'spec.storage.resources.requests.storage must give the size of the disk; only a clone has it from its source',
    check: (spec) => spec.storage === undefined || hasSize(spec.storage) || isClone(spec),
  },
]);

export const dataVolumeSpec = constrained(dataVolumeTemplateSpec, [
  ...immutableExcept('DataVolume', Object.keys(fields.shape), STAGE_FIELDS),
  stagesForGood,
]);
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

/** A claim and the source to fill it from. */
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

export const dataVolumes = defineResource({
  kind: 'DataVolume',
  plural: 'datavolumes',
  namespaced: true,
  otherVersions: [V1ALPHA1],
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
