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
