import type { V1PersistentVolumeClaimSpec } from '@kubernetes/client-node';
import * as z from 'zod';
import { constrained } from './constraint.ts';
import { isQuantity, parseQuantity, quantity } from './quantity.ts';
import { typedLocalObjectReference, typedObjectReference } from './references.ts';

export const accessModes = ['ReadWriteOnce', 'ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOncePod'] as const;
export type AccessMode = (typeof accessModes)[number];

export const volumeModes = ['Block', 'Filesystem'] as const;
export type VolumeMode = (typeof volumeModes)[number];

const labelKey = z.string().max(317);
const labelValue = z.string().max(63);

export const labelSelector = z
  .strictObject({
    matchExpressions: z
      .array(
        z.strictObject({
          key: labelKey.describe('Label that the requirement is about.'),
          operator: z.string().max(16).describe('In, NotIn, Exists or DoesNotExist.'),
          values: z.array(labelValue).max(32).optional().describe('Values for In and NotIn; none for the others.'),
        }),
      )
      .max(16)
      .optional()
      .describe('Requirements that must all hold.'),
    matchLabels: z
      .record(z.string(), labelValue)
      .meta({ maxProperties: 32 })
      .optional()
      .describe('Labels that a volume must have.'),
  })
  .describe('Labels of the volumes that the claim may be bound to.');

const resourceList = z.record(z.string(), quantity).meta({ maxProperties: 16 });

const requests = constrained(resourceList, [
  {
    rule: "!('storage' in self) || (type(self['storage']) == string ? (!isQuantity(string(self['storage'])) || quantity(string(self['storage'])).isGreaterThan(quantity('0'))) : int(self['storage']) > 0)",
    message: 'requests.storage must be more than 0',
    check: ({ storage }) => storage === undefined || !isQuantity(storage) || parseQuantity(storage) > 0,
  },
]);

export const volumeResourceRequirements = z
  .strictObject({
    requests: requests.optional().describe('The least that is needed: `storage` is the size of the volume.'),
    limits: resourceList.optional().describe('The most that is allowed.'),
  })
  .describe('Size of the volume, in requests.storage.');
export type VolumeResourceRequirements = z.infer<typeof volumeResourceRequirements>;

const accessModeList = z
  .array(z.enum(accessModes))
  .max(4)
  .describe('How the volume may be mounted: ReadWriteOnce, ReadOnlyMany, ReadWriteMany, ReadWriteOncePod.');

const dataSource = typedLocalObjectReference.describe(
  'Claim, snapshot or populator that the claim is filled from, instead of the source of the DataVolume.',
);
const dataSourceRef = typedObjectReference.describe(
  'Like dataSource; may name any object that a volume populator knows, in another namespace too.',
);

/** PersistentVolumeClaimSpec of core/v1. */
export const persistentVolumeClaimSpec = z.strictObject({
  accessModes: accessModeList.optional(),
  selector: labelSelector.optional(),
  resources: volumeResourceRequirements.optional(),
  volumeName: z.string().max(253).optional().describe('Name of the PersistentVolume to bind to.'),
  storageClassName: z
    .string()
    .max(253)
    .optional()
    .describe("StorageClass of the volume; the cluster's default where it is missing, none where it is empty."),
  volumeMode: z.enum(volumeModes).optional().describe('Filesystem (the default) or Block.'),
  dataSource: dataSource.optional(),
  dataSourceRef: dataSourceRef.optional(),
  volumeAttributesClassName: z.string().max(253).optional().describe('VolumeAttributesClass of the volume.'),
});
export type PersistentVolumeClaimSpec = z.infer<typeof persistentVolumeClaimSpec>;

/** The `storage` of a DataVolume; missing fields are completed from the StorageProfile. */
export const storageSpec = persistentVolumeClaimSpec.extend({
  volumeMode: z
    .enum([...volumeModes, 'FromStorageProfile'])
    .optional()
    .describe(
      'Block, Filesystem, or FromStorageProfile: what the StorageProfile prefers (the same as leaving it out).',
    ),
});
export type StorageSpec = z.infer<typeof storageSpec>;

/** Converts the spec to the types of the Kubernetes client: quantities that were written as numbers become strings. */
export function toClaimSpec(spec: PersistentVolumeClaimSpec): V1PersistentVolumeClaimSpec {
  const { resources, ...rest } = spec;
  if (resources === undefined) return rest;
  const { requests, limits } = resources;
  return {
    ...rest,
    resources: { ...(requests && { requests: toStrings(requests) }), ...(limits && { limits: toStrings(limits) }) },
  };
}

function toStrings(list: Record<string, string | number>): Record<string, string> {
  return Object.fromEntries(Object.entries(list).map(([name, value]) => [name, String(value)]));
}
