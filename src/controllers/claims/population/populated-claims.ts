import { CDI_GROUP } from '../../../api/group.ts';
import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import { keyOf, keyToString, type ObjectKey } from '../../../kube/key.ts';
import { defineIndex } from '../../../kube/object-index.ts';
import type { KubeObject } from '../../../kube/resource.ts';
import type { Caches } from '../../runtime/caches.ts';

/**
 * The index of claims by `namespace/name` of the source object that they are to be populated from, whatever its kind.
 */
export const byPopulationSource = defineIndex<PersistentVolumeClaim>(({ metadata, spec }) => {
  const reference = spec?.dataSourceRef;
  return reference?.apiGroup === CDI_GROUP ? [`${metadata?.namespace}/${reference.name}`] : [];
});

/** Returns the claims that name an object as the source of their data. */
export function claimsNaming(source: KubeObject, { claims }: Pick<Caches, 'claims'>): ObjectKey[] {
  return claims.byIndex(byPopulationSource, keyToString(keyOf(source))).map(keyOf);
}
