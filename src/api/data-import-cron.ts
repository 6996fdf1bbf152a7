import type { V1ObjectMeta } from '@kubernetes/client-node';
import * as z from 'zod';
import { conditionsOf } from './conditions.ts';
import { constrained, immutable } from './constraint.ts';
import { dataVolumeTemplateSpec } from './data-volume.ts';
import { CDI_API_VERSION } from './group.ts';
import { objectMeta, time } from './object-meta.ts';
import { ageColumn, defineResource } from './resource-definition.ts';
import { pvc } from './sources/pvc.ts';
import { dataImportCronSourceFormat } from './storage-profile.ts';

export const dataImportCronConditionTypes = ['Progressing', 'UpToDate'] as const;
export type DataImportCronConditionType = (typeof dataImportCronConditionTypes)[number];

/** Names that are also values of labels are no longer than this. */
const LONGEST_NAME = 63;

/** What can be looked at again for a newer version. */
const REPEATED_SOURCES = ['registry', 'http', 's3', 'gcs', 'pvc'] as const;

const UNUSED_FIELDS = ['sourceRef', 'contentType', 'checkpoints', 'finalCheckpoint'] as const;

const templateSpec = constrained(dataVolumeTemplateSpec, [
  {
    rule: `has(self.source) && (${REPEATED_SOURCES.map((name) => `has(self.source.${name})`).join(' || ')})`,
    message: `the template of a DataImportCron must have one of the sources ${REPEATED_SOURCES.join(', ')}`,
    check: ({ source }) => REPEATED_SOURCES.some((name) => source?.[name] !== undefined),
  },
  ...UNUSED_FIELDS.map((field) => ({
    rule: `!has(self.${field})`,
    message: `the template of a DataImportCron cannot have ${field}`,
    check: (spec: z.infer<typeof dataVolumeTemplateSpec>) => spec[field] === undefined,
  })),
]);

/** The DataVolume of each import; its name and namespace are not used. */
export const dataVolumeTemplate = z.strictObject({
  apiVersion: z.string().optional().describe('Not used.'),
  kind: z.string().optional().describe('Not used.'),
  metadata: z
    .custom<V1ObjectMeta>((value) => typeof value === 'object' && value !== null)
    .meta({ 'x-kubernetes-preserve-unknown-fields': true })
    .optional()
    .describe('Labels and annotations of the DataVolumes.'),
  spec: templateSpec.describe('Spec of the DataVolumes.'),
  status: z.looseObject({}).meta({ 'x-kubernetes-preserve-unknown-fields': true }).optional().describe('Not used.'),
});

const SCHEDULE_PATTERN = '^(|@[a-z]+( [0-9a-z]+)?|[^ ]+( +[^ ]+){4})$';

const schedule = constrained(z.string().max(253), [
  {
    rule: `self.matches('${SCHEDULE_PATTERN}')`,
    message: 'schedule must be empty or have five fields as in cron, such as 0 3 * * *',
    check: (value) => new RegExp(SCHEDULE_PATTERN).test(value),
  },
]);

const fields = z.strictObject({
  template: dataVolumeTemplate.describe('The DataVolume to make for each import.'),
  schedule: schedule.describe(
    'When to look for a new image, as in cron: minute, hour, day of the month, month, day of the week. Empty: once, and when told from outside.',
  ),
  managedDataSource: z
    .string()
    .min(1)
    .max(LONGEST_NAME)
    .describe('DataSource that always stands for the newest image.'),
  garbageCollect: z
    .enum(['Outdated', 'Never'])
    .optional()
    .describe('Outdated (the default): all but the newest importsToKeep images are removed. Never: none is.'),
  importsToKeep: z.int32().min(0).default(3).describe('How many images to keep.'),
  retentionPolicy: z
    .enum(['All', 'None'])
    .optional()
    .describe('What stays when this object is deleted: All (the default), the images and the DataSource; or None.'),
  serviceAccountName: z
    .string()
    .max(253)
    .optional()
    .describe('ServiceAccount whose rights are asked for where the template clones a claim.'),
});

export const dataImportCronSpec = constrained(fields, [immutable('DataImportCron')]);
export type DataImportCronSpec = z.infer<typeof dataImportCronSpec>;

export const dataImportCronStatus = z.strictObject({
  currentImports: z
    .array(
      z.strictObject({
        DataVolumeName: z.string().describe('DataVolume of the import.'),
        Digest: z.string().describe('Digest of the image.'),
      }),
    )
    .optional()
    .describe('The imports that are running, or were last.'),
  lastImportedPVC: pvc.schema().optional().describe('The claim with the newest image.'),
  lastExecutionTimestamp: time.nullable().optional().describe('When a new image was looked for last.'),
  lastImportTimestamp: time.nullable().optional().describe('When an image was imported last.'),
  sourceFormat: dataImportCronSourceFormat.optional(),
  conditions: conditionsOf(dataImportCronConditionTypes)
    .optional()
    .describe('Progressing: an image is being imported. UpToDate: the newest image is in place.'),
});
export type DataImportCronStatus = z.infer<typeof dataImportCronStatus>;

/** Imports an image repeatedly, as new versions of it appear. */
export const dataImportCron = constrained(
  z.strictObject({
    apiVersion: z.literal(CDI_API_VERSION),
    kind: z.literal('DataImportCron'),
    metadata: objectMeta,
    spec: dataImportCronSpec.describe('What to import, and when. Immutable.'),
    status: dataImportCronStatus.optional().describe('What has become of it.'),
  }),
  [
    {
      rule: `self.metadata.name.size() <= ${LONGEST_NAME}`,
      message: `the name of a DataImportCron must have no more than ${LONGEST_NAME} characters`,
      check: ({ metadata }) => (metadata.name ?? '').length <= LONGEST_NAME,
    },
  ],
).describe('An image to import again whenever there is a new version of it, on a schedule.');
export type DataImportCron = z.infer<typeof dataImportCron>;

export const dataImportCrons = defineResource({
  kind: 'DataImportCron',
  plural: 'dataimportcrons',
  namespaced: true,
  shortNames: ['dic', 'dics'],
  categories: ['all'],
  printerColumns: [
    { name: 'Format', type: 'string', jsonPath: '.status.sourceFormat', description: 'What images are kept as' },
    ageColumn,
  ],
  statusSubresource: true,
  schema: dataImportCron,
});
