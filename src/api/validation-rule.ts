import type { z } from 'zod';

/** A CEL rule of an OpenAPI schema, as the API server evaluates it. `self` is the value that the schema describes. */
export interface ValidationRule {
  readonly rule: string;
  readonly message: string;
  /** A CEL expression whose string is shown instead of `message`. */
  readonly messageExpression?: string;
  readonly reason?: 'FieldValueInvalid' | 'FieldValueForbidden' | 'FieldValueRequired' | 'FieldValueDuplicate';
  readonly fieldPath?: string;
}

/** The key of a schema's metadata that holds its CEL rules. */
export const VALIDATIONS = 'x-kubernetes-validations';

/** The schema with rules that only the API server evaluates, such as those that compare with the old object. */
export function withRules<Schema extends z.ZodType>(schema: Schema, rules: readonly ValidationRule[]): Schema {
  const earlier = (schema.meta()?.[VALIDATIONS] ?? []) as ValidationRule[];
  return schema.meta({ ...schema.meta(), [VALIDATIONS]: [...earlier, ...rules] });
}

/** The schema with a rule that the API server evaluates as CEL and zod as `check`; the two must say the same. */
export function withRule<Schema extends z.ZodType>(
  schema: Schema,
  rule: ValidationRule,
  check: (value: z.output<Schema>) => boolean,
): Schema {
  return withRules(schema.refine(check, rule.message), [rule]);
}

/** The schema with the rule that exactly one of these fields is set; the message names those allowed and those set. */
export function exactlyOneOf<Schema extends z.ZodType>(
  schema: Schema,
  what: string,
  fields: readonly (keyof z.output<Schema> & string)[],
): Schema {
  return withRule(schema, someOf(what, fields, 'exactly one'), (value) => countSet(value, fields) === 1);
}

/** Like {@link exactlyOneOf}, and none of them is allowed too. */
export function atMostOneOf<Schema extends z.ZodType>(
  schema: Schema,
  what: string,
  fields: readonly (keyof z.output<Schema> & string)[],
): Schema {
  return withRule(schema, someOf(what, fields, 'at most one'), (value) => countSet(value, fields) <= 1);
}

function countSet<Value>(value: Value, fields: readonly (keyof Value)[]): number {
  return fields.filter((field) => value[field] !== undefined).length;
}

function someOf(what: string, fields: readonly string[], amount: 'exactly one' | 'at most one'): ValidationRule {
  const message = `${what} must have ${amount} of ${fields.join(', ')}`;
  const set = fields.map((field) => `(has(self.${field}) ? ['${field}'] : [])`).join(' + ');
  const none = amount === 'exactly one' ? `size(${set}) == 0 ? '${message}' : ` : '';
  return {
    rule: `[${fields.map((field) => `has(self.${field})`).join(', ')}].filter(set, set).size() ${amount === 'exactly one' ? '==' : '<='} 1`,
    message,
    messageExpression: `${none}'${message}, but has ' + (${set}).join(' and ')`,
  };
}
