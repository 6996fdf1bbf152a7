import * as z from 'zod';
import { conditionsOf } from './conditions.ts';
import { atMostOneOf, constrained } from './constraint.ts';
import { CDI_API_VERSION } from './group.ts';
import { objectMeta } from './object-meta.ts';
import { namespaceReference, objectName } from './references.ts';
import { ageColumn, conditionColumn, defineResource } from './resource-definition.ts';
import { pvc } from './sources/pvc.ts';
import { snapshot } from './sources/snapshot.ts';

const dataSourceReference = z
  .strictObject({
    namespace: namespaceReference.describe('Namespace of the DataSource, the own one where it is empty.'),
    name: objectName.describe('Name of the DataSource.'),
  })
  .describe('Another DataSource, which must not itself refer to one.');

/** The source that a DataSource points to; it has none as long as there is no image yet. */
export const dataSourceSource = constrained(
  z.strictObject({
    pvc: pvc.schema().optional(),
    snapshot: snapshot.schema().optional(),
    dataSource: dataSourceReference.optional(),
  }),
  [atMostOneOf('source', ['pvc', 'snapshot', 'dataSource'])],
);
export type DataSourceSource = z.infer<typeof dataSourceSource>;

export const dataSourceSpec = z.strictObject({
  source: dataSourceSource.describe('What to clone: at most one of the fields below.'),
});
export type DataSourceSpec = z.infer<typeof dataSourceSpec>;

export const dataSourceStatus = z.strictObject({
  source: dataSourceSource.optional().describe('What a DataVolume with this source is cloned from now.'),
  conditions: conditionsOf(['Ready']).optional().describe('Ready: the source exists and can be cloned.'),
});
export type DataSourceStatus = z.infer<typeof dataSourceStatus>;

/** A name for a source that can be cloned. */
export const dataSource = z
  .strictObject({
    apiVersion: z.literal(CDI_API_VERSION),
    kind: z.literal('DataSource'),
    metadata: objectMeta,
    spec: dataSourceSpec.describe('What the name stands for.'),
    status: dataSourceStatus.optional().describe('What has become of it.'),
  })
  .describe('A name for a claim or snapshot to clone, for DataVolumes to use in sourceRef.');
export type DataSource = z.infer<typeof dataSource>;

export const dataSources = defineResource({
  kind: 'DataSource',
  plural: 'datasources',
  namespaced: true,
  shortNames: ['das'],
  categories: ['all'],
  printerColumns: [
    conditionColumn('Ready', 'Whether it can be cloned now'),
    { name: 'Claim', type: 'string', jsonPath: '.status.source.pvc.name', description: 'Claim that it stands for' },
    {
      name: 'Snapshot',
      type: 'string',
      jsonPath: '.status.source.snapshot.name',
      description: 'Snapshot that it stands for',
    },
    ageColumn,
  ],
  statusSubresource: true,
  schema: dataSource,
});
