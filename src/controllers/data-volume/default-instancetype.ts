import type { DataVolume } from '../../api/data-volume.ts';
import { defaultInstancetypeLabels } from '../../api/labels.ts';
import type { KubeObject } from '../../kube/resource.ts';
import { clonedObjectOf, findCloned } from '../clone/source/cloned-object.ts';
import type { Caches } from '../runtime/caches.ts';
import type { ResolvedSource } from './clone-source.ts';

/**
 * Returns the labels from which KubeVirt infers the instance type and the preference of a virtual machine with the
 * cloned disk: those of the DataSource, or else those of the cloned object. There are none where the DataVolume has any
 * of its own, because the four labels belong together. This is a pure function.
 *
 * @param isGranted whether the DataVolume may clone from another namespace, and so may inherit labels from there
 */
export function inheritedInstancetype(
  caches: Pick<Caches, 'claims' | 'snapshots'>,
  dataVolume: DataVolume,
  { source, through }: ResolvedSource,
  isGranted: boolean,
): Record<string, string> {
  if (hasAny(instancetypeOf(dataVolume))) return {};
  const cloned = clonedObjectOf(source);
  const found = [...through, cloned && findCloned(caches, cloned)]
    .filter((object) => isGranted || object?.metadata?.namespace === dataVolume.metadata.namespace)
    .map(instancetypeOf);
  return found.find(hasAny) ?? {};
}

/** Returns the instance type labels of an object. */
export function instancetypeOf(object: KubeObject | undefined): Record<string, string> {
  return Object.fromEntries(
    defaultInstancetypeLabels.flatMap((name) => {
      const value = object?.metadata?.labels?.[name];
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
}

function hasAny(labels: Record<string, string>): boolean {
  return Object.keys(labels).length > 0;
}
