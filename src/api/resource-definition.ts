import type { z } from 'zod';
import { CDI_GROUP, V1BETA1 } from './group.ts';

/** A column of `kubectl get`. */
export interface PrinterColumn {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'date';
  readonly jsonPath: string;
  readonly description?: string;
}

/**
 * What the API server and clients must know about a custom resource. Clients are given the definition to read and write
 * the objects of this resource, whose type is `T`.
 */
export interface ResourceDefinition<T = unknown> {
  readonly group: string;
  /** Version that is stored, and that clients use. */
  readonly version: string;
  /** Other versions that are served. All have the same schema. */
  readonly otherVersions: readonly string[];
  readonly kind: string;
  /** Plural name, as in the path of the API. */
  readonly plural: string;
  readonly singular: string;
  readonly namespaced: boolean;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly printerColumns: readonly PrinterColumn[];
  /** Whether status is a subresource, which is written separately from the spec. */
  readonly statusSubresource: boolean;
  readonly schema: z.ZodType<T>;
  /** Never has a value: it binds the type of the objects to the resource, as in a client's resources. */
  readonly objectType?: T;
}

/** Defines a resource of the group cdi.kubevirt.io; omitted properties have the values of most resources. */
export function defineResource<T>(
  resource: Pick<ResourceDefinition<T>, 'kind' | 'plural' | 'namespaced' | 'schema'> & Partial<ResourceDefinition<T>>,
): ResourceDefinition<T> {
  return {
    group: CDI_GROUP,
    version: V1BETA1,
    otherVersions: [],
    singular: resource.kind.toLowerCase(),
    shortNames: [],
    categories: [],
    printerColumns: [],
    statusSubresource: false,
    ...resource,
  };
}

/** Returns the column that shows the status of a condition. */
export const conditionColumn = (type: string, description: string): PrinterColumn => ({
  name: type,
  type: 'string',
  jsonPath: `.status.conditions[?(@.type=="${type}")].status`,
  description,
});

/** The column that shows how long ago the object was created. */
export const ageColumn: PrinterColumn = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' };
