import { cloneGrants } from '../../../api/clone-grant.ts';
import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import { keyOf, type ObjectKey } from '../../../kube/key.ts';
import { grantUsedAnnotation } from '../../objects/internal-annotations.ts';
import type { ControllerContext } from '../../runtime/context.ts';
import { requireSameObjectNow } from '../source/cloned-object.ts';
import { grantOf } from './authority.ts';

/**
 * Marks the grant of a copy from another namespace as used, so that a claim is never copied into twice, whatever its
 * annotations say.
 *
 * @param source the claim that was copied
 */
export async function useGrant(
  { caches, client, now }: Pick<ControllerContext, 'caches' | 'client' | 'now'>,
  claim: PersistentVolumeClaim,
  source: ObjectKey,
): Promise<void> {
  const grant = grantOf(caches, claim);
  if (!grant || source.namespace === keyOf(claim).namespace) return;
  await requireSameObjectNow(client, { kind: 'PersistentVolumeClaim', key: source }, grant.spec.source.uid);
  await client.mergePatch(cloneGrants, keyOf(grant), {
    metadata: { annotations: { [grantUsedAnnotation]: new Date(now()).toISOString() } },
  });
}
