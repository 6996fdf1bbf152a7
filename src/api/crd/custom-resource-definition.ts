import { VALIDATIONS } from '../constraint.ts';
import { objectLabels } from '../labels.ts';
import type { PrinterColumn, ResourceDefinition } from '../resource-definition.ts';
import { type StructuralSchema, structuralSchema } from './structural-schema.ts';

export interface CustomResourceDefinitionVersion {
  name: string;
  served: boolean;
  storage: boolean;
  schema: { openAPIV3Schema: StructuralSchema };
  additionalPrinterColumns?: readonly PrinterColumn[];
  subresources?: { status: Record<string, never> };
}

/** CustomResourceDefinition of apiextensions.k8s.io/v1. */
export interface CustomResourceDefinition {
  apiVersion: 'apiextensions.k8s.io/v1';
  kind: 'CustomResourceDefinition';
  metadata: { name: string; labels: Record<string, string> };
  spec: {
    group: string;
    scope: 'Namespaced' | 'Cluster';
    names: {
      kind: string;
      listKind: string;
      plural: string;
      singular: string;
      shortNames?: readonly string[];
      categories?: readonly string[];
    };
    conversion: { strategy: 'None' };
    versions: CustomResourceDefinitionVersion[];
  };
}

/** Returns the CustomResourceDefinition that makes the API server serve the resource. */
export function customResourceDefinition(resource: ResourceDefinition): CustomResourceDefinition {
  const { group, kind, plural, singular, shortNames, categories } = resource;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}`, labels: objectLabels },
    spec: {
      group,
      scope: resource.namespaced ? 'Namespaced' : 'Cluster',
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular,
        ...(shortNames.length > 0 && { shortNames }),
        ...(categories.length > 0 && { categories }),
      },
      conversion: { strategy: 'None' },
      versions: [resource.version, ...resource.otherVersions].map((name, index) => ({
        name,
        served: true,
        storage: index === 0,
        schema: { openAPIV3Schema: objectSchema(resource) },
        ...(resource.printerColumns.length > 0 && { additionalPrinterColumns: resource.printerColumns }),
        ...(resource.statusSubresource && { subresources: { status: {} } }),
      })),
    },
  };
}

/** Returns the schema of a whole object. The API server insists on describing apiVersion, kind and metadata itself. */
function objectSchema({ schema }: ResourceDefinition): StructuralSchema {
  const { type, description, properties, required, [VALIDATIONS]: rules } = structuralSchema(schema);
  return {
    type,
    description,
    properties: {
      ...properties,
      apiVersion: { type: 'string', description: 'Group and version of the API that the object is written in.' },
      kind: { type: 'string', description: 'Kind of the object.' },
      metadata: { type: 'object' },
    },
    required: required?.filter((field) => field === 'spec'),
    ...(rules !== undefined && { [VALIDATIONS]: rules }),
  };
}
