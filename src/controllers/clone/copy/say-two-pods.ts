import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import { dataVolumeOf } from '../../claims/data-volume-of.ts';
import { workedFor } from '../../objects/work-index.ts';
import type { CloneContext } from '../metrics/clone-count.ts';

/** Says on what the user has made why a copy is made by two pods. */
export function sayTwoPods({ caches, events }: CloneContext, claim: PersistentVolumeClaim, why: string): void {
  const [key] = workedFor(claim);
  const target = (key && caches.claims.get(key)) ?? claim;
  events.event(dataVolumeOf(caches, target) ?? target, {
    type: 'Normal',
    reason: 'CopyByTwoPods',
    message: `Two pods copy over the network: ${why}`,
  });
}
