import type { z } from 'zod';

/** A CEL rule of an OpenAPI schema, as the API server evaluates it. `self` is the value that the schema describes. */
export interface ValidationRule {
  readonly rule: string;
  readonly message: string;
  /** CEL expression whose result is shown instead of `message`. */
  readonly messageExpression?: string;
}

/** A rule together with its equivalent in TypeScript; a rule that compares with the old object has no `check`. */
export interface Constraint<Value> extends ValidationRule {
  readonly check?: (value: Value) => boolean;
}

/** The key of a schema's metadata that holds its CEL rules. */
export const VALIDATIONS = 'x-kubernetes-validations';

/** Adds constraints to a schema: the API server evaluates them as CEL, and zod by their checks. */
export function constrained<Schema extends z.ZodType>(
  schema: Schema,
  constraints: readonly Constraint<z.output<Schema>>[],
): Schema {
  let checked = schema;
  for (const { check, message } of constraints) if (check !== undefined) checked = checked.refine(check, message);
  const earlier = (schema.meta()?.[VALIDATIONS] ?? []) as ValidationRule[];
  const rules = constraints.map(({ check: _, ...rule }): ValidationRule => rule);
  return checked.meta({ ...schema.meta(), [VALIDATIONS]: [...earlier, ...rules] });
}

/**
 * Requires that exactly one of these fields is set. The message names the allowed fields and those set, or states with
 * `hint` that none is.
 */
export const exactlyOneOf = <Field extends string>(what: string, fields: readonly Field[], hint = '') =>
  countOf(what, fields, { amount: 'exactly one of', operator: '==', hint }, (count) => count === 1);

/** Requires that at most one of these fields is set. The message names the allowed fields and those set. */
export const atMostOneOf = <Field extends string>(what: string, fields: readonly Field[]) =>
  countOf(what, fields, { amount: 'at most one of', operator: '<=', hint: '' }, (count) => count <= 1);

/** Requires that the spec is never changed. */
export const immutable = (kind: string): Constraint<unknown> => ({
  rule: 'self == oldSelf',
  message: `the spec of a ${kind} is immutable; delete it and make another one`,
});

/** Requires that the fields of the spec are never changed, apart from the mutable ones. */
export const immutableExcept = (
  kind: string,
  fields: readonly string[],
  mutable: readonly string[],
): Constraint<unknown>[] =>
  fields
    .filter((field) => !mutable.includes(field))
    .map((field) => ({
      rule: `has(self.${field}) == has(oldSelf.${field}) && (!has(self.${field}) || self.${field} == oldSelf.${field})`,
      message: `spec.${field} cannot be changed: the spec of a ${kind} is immutable, apart from ${mutable.join(' and ')}; delete it and make another one`,
    }));

function countOf<Field extends string>(
  what: string,
  fields: readonly Field[],
  { amount, operator, hint }: { amount: string; operator: string; hint: string },
  allowed: (count: number) => boolean,
): Constraint<Partial<Record<Field, unknown>>> {
  const message = `${what} must have ${amount} ${fields.join(', ')}`;
  const isSet = fields.map((field) => `has(self.${field})`);
  // This concatenates by hand, because the API server estimates the cost of join() as too high.
  const namesOfSet = fields.map((field) => `(has(self.${field}) ? ' and ${field}' : '')`).join(' + ');
  return {
    rule: `[${isSet.join(', ')}].filter(set, set).size() ${operator} 1`,
    message,
    messageExpression: `'${message}, but has ' + (${isSet.join(' || ')} ? (${namesOfSet}).substring(${' and '.length}) : 'none${hint}')`,
    check: (value) => allowed(fields.filter((field) => value[field] !== undefined).length),
  };
}
