import { cdis } from '../../src/api/cdi.ts';
import { customResourceDefinition } from '../../src/api/crd/custom-resource-definition.ts';
import type { StructuralSchema } from '../../src/api/crd/structural-schema.ts';

/** A JSON Schema, of draft 7 as Helm reads it. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** A type of Kubernetes's API: what is in it is for the API server to say. */
export const kubernetesObject = (type: string): JsonSchema => ({
  type: 'object',
  description: `${type} of Kubernetes`,
});
export const kubernetesList = (type: string): JsonSchema => ({ type: 'array', items: kubernetesObject(type) });

/** Returns the schema of `spec` of a CDI object, by its CustomResourceDefinition; no field is asked for. */
export function cdiSpecSchema(): JsonSchema {
  const [version] = customResourceDefinition(cdis).spec.versions;
  const spec = version?.schema.openAPIV3Schema.properties?.spec;
  if (!spec) throw new Error('the CustomResourceDefinition of CDI has no spec');
  return withoutExtensions(spec) as JsonSchema;
}

/** Kubernetes's extensions mean nothing to JSON Schema, except where they say that a field may be of two types. */
function withoutExtensions(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutExtensions);
  if (typeof schema !== 'object' || schema === null) return schema;
  const { type, ...others } = schema as Partial<StructuralSchema>;
  const fields = Object.entries(others)
    .filter(([name]) => !name.startsWith('x-kubernetes-') && name !== 'nullable')
    .map(([name, value]) => [name, withoutExtensions(value)]);
  const open = 'x-kubernetes-preserve-unknown-fields' in others;
  const closed = type === 'object' && 'properties' in others && !open ? { additionalProperties: false } : {};
  return { ...(type ? { type } : {}), ...closed, ...Object.fromEntries(fields) };
}
