import { keyOf, type ObjectKey } from '../../kube/key.ts';
import type { KubeObject } from '../../kube/resource.ts';
import { byDependencyOfDataVolume, dependency, type DependencyKind } from '../references/data-source-of.ts';
import type { Caches } from '../runtime/caches.ts';

/** Returns the DataVolumes that may have been waiting for the object that they clone. */
export function unmadeClonesOf(
  kind: DependencyKind,
  source: KubeObject,
  { dataVolumes, claims }: Pick<Caches, 'dataVolumes' | 'claims'>,
): ObjectKey[] {
  return dataVolumes
    .byIndex(byDependencyOfDataVolume, dependency(kind, keyOf(source)))
    .map(keyOf)
    .filter((key) => claims.get(key) === undefined);
}

/** Returns the DataVolumes that may have been waiting for an admission policy. */
export function ungrantedClones({
  dataVolumes,
  cloneGrants,
}: Pick<Caches, 'dataVolumes' | 'cloneGrants'>): ObjectKey[] {
  return dataVolumes
    .list()
    .filter(({ metadata, status }) => {
      const isGranted = cloneGrants.get({ namespace: '', name: metadata.uid ?? '' }) !== undefined;
      return !isGranted && status?.conditions?.some(({ reason }) => reason === 'PolicyMissing');
    })
    .map(keyOf);
}
