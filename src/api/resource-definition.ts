import type { z } from 'zod';
import { CDI_GROUP, V1BETA1 } from './group.ts';

/** A column of `kubectl get`. */
export interface PrinterColumn {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'date';
  readonly jsonPath: string;
  readonly description?: string;
}

/** What the API server must know of a custom resource. */
export interface ResourceDefinition {
  readonly group: string;
  /** Versions that are served, the one that is stored first; all have the same schema. */
  readonly versions: readonly string[];
  readonly kind: string;
  /** Plural, as in the path of the API. */
  readonly plural: string;
  readonly singular: string;
  readonly scope: 'Namespaced' | 'Cluster';
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly printerColumns: readonly PrinterColumn[];
  /** Whether status is a subresource, written apart from the spec. */
  readonly statusSubresource: boolean;
  readonly schema: z.ZodType;
}

/** A resource of the group cdi.kubevirt.io; what is not given is as in most of them. */
export function defineResource(
  resource: Pick<ResourceDefinition, 'kind' | 'plural' | 'scope' | 'schema'> & Partial<ResourceDefinition>,
): ResourceDefinition {
  return {
    group: CDI_GROUP,
    versions: [V1BETA1],
    singular: resource.kind.toLowerCase(),
    shortNames: [],
    categories: [],
    printerColumns: [],
    statusSubresource: false,
    ...resource,
  };
}

/** The column that shows the status of a condition. */
export const conditionColumn = (type: string, description: string): PrinterColumn => ({
  name: type,
  type: 'string',
  jsonPath: `.status.conditions[?(@.type=="${type}")].status`,
  description,
});

/** The column that shows how long ago the object was created. */
export const ageColumn: PrinterColumn = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' };
