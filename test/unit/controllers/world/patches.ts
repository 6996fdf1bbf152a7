import { ApiError } from '../../../../src/kube/errors.ts';
import type { JsonPatchOperation } from '../../../../src/kube/json-patch.ts';
import type { KubeObject } from '../../../../src/kube/resource.ts';

type Fields = Record<string, unknown>;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A JSON merge patch, as RFC 7396 has it: null takes a field away, and lists are replaced. */
export function merged<T>(target: T, patch: unknown): T {
  if (!isFields(patch)) return patch as T;
  const result: Fields = isFields(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else if (value !== undefined) result[name] = merged(result[name], value);
  }
  return result as T;
}

/**
 * A JSON patch of fields.
 *
 * @throws ApiError Conflict where a test fails
 */
export function patched<T extends KubeObject>(target: T, operations: readonly JsonPatchOperation[]): T {
  return operations.reduce((current, { op, path, value }) => {
    const names = path
      .split('/')
      .slice(1)
      .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
    if (op === 'add') return replaced(current, names, value) as T;
    const found = names.reduce<unknown>((at, name) => (isFields(at) ? at[name] : undefined), current);
    if (found === value) return current;
    throw new ApiError({ code: 409, reason: 'Conflict', message: `${path} is not ${String(value)}` });
  }, target);
}

function replaced(target: unknown, [name, ...rest]: readonly string[], value: unknown): unknown {
  if (name === undefined) return value;
  const fields = isFields(target) ? target : {};
  return { ...fields, [name]: replaced(fields[name], rest, value) };
}

/** What a server-side apply makes of an object: as a merge patch, but that the lists which are sets are joined. */
export function applied<T extends KubeObject>(target: T, configuration: T): T {
  const result = merged(target, configuration);
  const { finalizers, ownerReferences } = configuration.metadata ?? {};
  const owners = target.metadata?.ownerReferences ?? [];
  result.metadata = {
    ...result.metadata,
    ...(finalizers && { finalizers: [...new Set([...(target.metadata?.finalizers ?? []), ...finalizers])] }),
    ...(ownerReferences && {
      ownerReferences: [
        ...owners.filter(({ uid }) => !ownerReferences.some((other) => other.uid === uid)),
        ...ownerReferences,
      ],
    }),
  };
  return result;
}
