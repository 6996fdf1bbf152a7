import { differs } from '../../kube/apply.ts';
import { type PersistentVolumeClaim, persistentVolumeClaims } from '../../kube/builtin-resources.ts';
import type { KubeClient } from '../../kube/client.ts';

/**
 * Applies annotations to a claim, unless it has them already. The uid is part of the request, so that a claim that was
 * deleted in the meantime is not created again.
 */
export async function annotateClaim(
  client: KubeClient,
  claim: PersistentVolumeClaim,
  fieldManager: string,
  annotations: Readonly<Record<string, string>>,
): Promise<void> {
  if (!differs({ metadata: { annotations } }, claim)) return;
  const { name, namespace, uid } = claim.metadata ?? {};
  await client.apply(
    persistentVolumeClaims,
    {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: name ?? '', namespace: namespace ?? '', uid: uid ?? '', annotations: { ...annotations } },
    },
    { fieldManager },
  );
}
