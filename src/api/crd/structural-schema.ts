import * as z from 'zod';

/** A node of an OpenAPI v3 schema in the form that the API server requires of custom resources. */
export interface StructuralSchema {
  type?: string;
  format?: string;
  description?: string;
  properties?: Record<string, StructuralSchema>;
  additionalProperties?: StructuralSchema;
  items?: StructuralSchema;
  anyOf?: StructuralSchema[];
  required?: string[];
  enum?: unknown[];
  minimum?: number;
  maximum?: number;
  pattern?: string;
  maxLength?: number;
  [key: string]: unknown;
}

const INT_OR_STRING = 'x-kubernetes-int-or-string';

/**
 * Converts a schema to a structural schema that allows what zod accepts, before defaults are filled in.
 *
 * https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
 */
export function structuralSchema(schema: z.ZodType): StructuralSchema {
  return structural(
    z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input', unrepresentable: 'any' }) as StructuralSchema,
  );
}

function structural(schema: StructuralSchema): StructuralSchema {
  if (schema[INT_OR_STRING] === true) return intOrString(schema);
  const { properties, items, additionalProperties, anyOf, minimum, maximum, ...rest } = schema;
  delete rest.propertyNames;
  if (anyOf !== undefined) throw new Error(`a structural schema cannot have alternatives: ${JSON.stringify(schema)}`);
  // Objects without described fields come from z.custom, which has no type.
  const result: StructuralSchema = { type: 'object', ...rest };
  if (properties !== undefined && Object.keys(properties).length > 0)
    result.properties = mapValues(properties, structural);
  if (items !== undefined) result.items = structural(items);
  // Closed objects need no keyword, because the API server rejects or drops unknown fields. Only maps have more to
  // state.
  if (isMapOf(additionalProperties)) result.additionalProperties = structural(additionalProperties);
  return { ...result, ...(schema.type === 'integer' && integerRange(minimum, maximum)) };
}

/**
 * Returns the format and the limits of an integer. Zod's limits are omitted where they are those of the format, which
 * the API server enforces by itself.
 */
function integerRange(minimum = Number.MIN_SAFE_INTEGER, maximum = Number.MAX_SAFE_INTEGER) {
  const format = maximum <= 2 ** 31 - 1 ? 'int32' : 'int64';
  const outside = [-(2 ** 31), 2 ** 31 - 1, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER];
  return {
    format,
    ...(!outside.includes(minimum) && { minimum }),
    ...(!outside.includes(maximum) && { maximum }),
  };
}

/**
 * Returns the schema of an integer or a string, which is the only alternative that a structural schema may have, in the
 * only form that is allowed.
 */
function intOrString({ anyOf, ...rest }: StructuralSchema): StructuralSchema {
  const { pattern, maxLength } = anyOf?.find(({ type }) => type === 'string') ?? {};
  return { anyOf: [{ type: 'integer' }, { type: 'string' }], ...rest, pattern, maxLength };
}

const isMapOf = (schema: unknown): schema is StructuralSchema =>
  typeof schema === 'object' && schema !== null && Object.keys(schema).length > 0;

function mapValues<Value, Result>(
  record: Record<string, Value>,
  map: (value: Value) => Result,
): Record<string, Result> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}
