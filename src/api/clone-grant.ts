import * as z from 'zod';
import { constrained } from './constraint.ts';
import { CDI_API_VERSION } from './group.ts';
import { objectMeta } from './object-meta.ts';
import { namespaceName, objectName } from './references.ts';
import { ageColumn, defineResource } from './resource-definition.ts';

/** The kinds of object that can be cloned. */
export const cloneSourceKinds = ['PersistentVolumeClaim', 'VolumeSnapshot'] as const;
export type CloneSourceKind = (typeof cloneSourceKinds)[number];

const uid = z.string().min(1).max(128);

export const cloneGrantSpec = constrained(
  z.strictObject({
    dataVolume: z
      .strictObject({
        namespace: namespaceName.describe('Namespace of the DataVolume, and of the claim.'),
        name: objectName.describe('Name of the DataVolume, and of the claim.'),
        uid: uid.describe('UID of the DataVolume.'),
      })
      .describe('The DataVolume at whose creation the right to clone was checked.'),
    claimUid: uid.describe('UID of the one claim that may be filled.'),
    source: z
      .strictObject({
        kind: z.enum(cloneSourceKinds).describe('Kind of the source.'),
        namespace: namespaceName.describe('Namespace of the source.'),
        name: objectName.describe('Name of the source.'),
        uid: uid.describe('UID of the source: another object that gets its name later is not granted.'),
      })
      .describe('The one object that may be cloned into it.'),
  }),
  [{ rule: 'self == oldSelf', message: 'a CloneGrant cannot be changed' }],
);
export type CloneGrantSpec = z.infer<typeof cloneGrantSpec>;

/**
 * Permission to fill one claim from one object of another namespace. The controllers create it, once for each
 * DataVolume and named by its UID, and trust nothing else. It is cluster-scoped, so that users with rights only in
 * namespaces cannot create, change or delete one.
 */
export const cloneGrant = z
  .strictObject({
    apiVersion: z.literal(CDI_API_VERSION),
    kind: z.literal('CloneGrant'),
    metadata: objectMeta,
    spec: cloneGrantSpec.describe('What is granted. Immutable.'),
  })
  .describe('That a claim may be cloned from another namespace, as was checked when its DataVolume was created.');
export type CloneGrant = z.infer<typeof cloneGrant>;

export const cloneGrants = defineResource({
  kind: 'CloneGrant',
  plural: 'clonegrants',
  namespaced: false,
  printerColumns: [
    { name: 'Namespace', type: 'string', jsonPath: '.spec.dataVolume.namespace', description: 'Of the DataVolume' },
    { name: 'DataVolume', type: 'string', jsonPath: '.spec.dataVolume.name', description: 'That is cloned into' },
    { name: 'Kind', type: 'string', jsonPath: '.spec.source.kind', description: 'Of the source' },
    { name: 'From', type: 'string', jsonPath: '.spec.source.namespace', description: 'Namespace of the source' },
    { name: 'Source', type: 'string', jsonPath: '.spec.source.name', description: 'What is cloned' },
    ageColumn,
  ],
  schema: cloneGrant,
});
