import type { ImportDependency } from './transfer-pod.ts';

/**
 * Returns what is missing of an object that a source needs, and what to do; undefined where it has everything.
 *
 * @param found the keys that it has; none where it does not exist
 */
export function describeMissing(
  {
    kind,
    namespace,
    name,
    keys,
  }: Pick<ImportDependency, 'kind' | 'namespace' | 'name'> & { keys: readonly (readonly string[])[] },
  found: readonly string[],
): string | undefined {
  const wanted = keys.map((set) => set.join(' and ')).join(', or ');
  if (found.length === 0) {
    const content = kind === 'ConfigMap' ? ' with the certificates in PEM' : wanted && ` with the keys ${wanted}`;
    return `${kind} "${name}" does not exist in namespace "${namespace}", or is empty; create it${content}`;
  }
  if (keys.length === 0 || keys.some((set) => set.every((key) => found.includes(key)))) return undefined;
  return `${kind} "${name}" in namespace "${namespace}" does not have the keys ${wanted}; add them`;
}
