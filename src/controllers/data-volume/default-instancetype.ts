import { defaultInstancetypeLabels } from '../../api/labels.ts';
import type { DataVolume } from '../../api/data-volume.ts';
import type { KubeObject } from '../../kube/resource.ts';
import { clonedObjectOf, findCloned } from '../clone/source/cloned-object.ts';
import type { Caches } from '../runtime/caches.ts';
import type { ResolvedSource } from './clone-source.ts';

/**
 * The labels by which KubeVirt infers what a virtual machine with the cloned disk is made of: those of the DataSource, or else of what is
 * cloned. None where the DataVolume has any of its own, as the four belong together. Pure.
 *
 * @param isGranted whether the DataVolume may clone from another namespace, and so may have labels from there
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

/** Those labels of an object. */
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
