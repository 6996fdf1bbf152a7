import type { PersistentVolumeClaim, Pod } from '../../../kube/builtin-resources.ts';
import { isReaderOfCdi } from '../../objects/left-by-cdi.ts';
import type { Caches } from '../../runtime/caches.ts';
import { predecessorsOf } from '../../transfers/predecessor.ts';
import type { HostCloneKeys } from './objects.ts';

/** Returns the pods by which CDI copies into a claim: that of the source is named by the UID of the claim. */
export function copyOfCdi(
  caches: Pick<Caches, 'pods'>,
  claim: PersistentVolumeClaim,
  { sourcePod }: Pick<HostCloneKeys, 'sourcePod'>,
): readonly Pod[] {
  const source = caches.pods.get(sourcePod);
  return [...predecessorsOf(caches, claim), ...(source && isReaderOfCdi(source) ? [source] : [])];
}
