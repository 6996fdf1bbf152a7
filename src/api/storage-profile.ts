import * as z from 'zod';
import { cloneTypes } from './clone.ts';
import { conditionsOf } from './conditions.ts';
import { CDI_API_VERSION } from './group.ts';
import { objectMeta } from './object-meta.ts';
import { accessModes, volumeModes } from './persistent-volume-claim-spec.ts';
import { ageColumn, conditionColumn, defineResource } from './resource-definition.ts';

export const cloneStrategy = z
  .enum(cloneTypes)
  .describe('How to clone: copy (through pods), snapshot (restore a snapshot) or csi-clone (by the CSI driver).');

/** Reasons of the condition Recognized of a StorageProfile. */
export const recognizedReasons = [
  'RecognizedProvisioner',
  'UnrecognizedProvisioner',
  'UnrecognizedStorageClassParameters',
] as const;
export type RecognizedReason = (typeof recognizedReasons)[number];

export const dataImportCronSourceFormats = ['snapshot', 'pvc'] as const;
export const dataImportCronSourceFormat = z
  .enum(dataImportCronSourceFormats)
  .describe('What the images of a DataImportCron are kept as: a snapshot or a pvc.');

export const claimPropertySet = z.strictObject({
  accessModes: z.array(z.enum(accessModes)).min(1).max(4).optional().describe('Access modes of a claim.'),
  volumeMode: z.enum(volumeModes).optional().describe('Volume mode of a claim.'),
});
export type ClaimPropertySet = z.infer<typeof claimPropertySet>;

const resolvable = {
  cloneStrategy: cloneStrategy.optional(),
  claimPropertySets: z
    .array(claimPropertySet)
    .max(8)
    .optional()
    .describe('Access modes and volume mode for claims that do not give their own, the best first.'),
  dataImportCronSourceFormat: dataImportCronSourceFormat.optional(),
  snapshotClass: z.string().max(253).optional().describe('VolumeSnapshotClass for snapshots of the class.'),
};

export const storageProfileSpec = z.strictObject(resolvable);
export type StorageProfileSpec = z.infer<typeof storageProfileSpec>;

export const storageProfileStatus = z.strictObject({
  ...resolvable,
  storageClass: z.string().optional().describe('Name of the StorageClass.'),
  provisioner: z.string().optional().describe("The StorageClass's provisioner."),
  conditions: conditionsOf(['Recognized'])
    .optional()
    .describe('Recognized: the capabilities of the provisioner are known.'),
});
export type StorageProfileStatus = z.infer<typeof storageProfileStatus>;

/** What is known or configured about a StorageClass; it has the name of the class. */
export const storageProfile = z
  .strictObject({
    apiVersion: z.literal(CDI_API_VERSION),
    kind: z.literal('StorageProfile'),
    metadata: objectMeta,
    spec: storageProfileSpec.describe('What overrides the things found out about the StorageClass.'),
    status: storageProfileStatus.optional().describe('What is in effect.'),
  })
  .describe('How to make volumes of the StorageClass of the same name.');
export type StorageProfile = z.infer<typeof storageProfile>;

export const storageProfiles = defineResource({
  kind: 'StorageProfile',
  plural: 'storageprofiles',
  namespaced: false,
  printerColumns: [
    {
      name: 'Provisioner',
      type: 'string',
      jsonPath: '.status.provisioner',
      description: "The StorageClass's provisioner",
    },
    { name: 'Clone', type: 'string', jsonPath: '.status.cloneStrategy', description: 'How claims are cloned' },
    {
      name: 'Snapshot Class',
      type: 'string',
      jsonPath: '.status.snapshotClass',
      description: 'VolumeSnapshotClass for snapshots of the class',
    },
    conditionColumn('Recognized', 'Whether the capabilities of the provisioner are known'),
    ageColumn,
  ],
  statusSubresource: true,
  schema: storageProfile,
});
