import type { V1ResourceAttributes, V1SelfSubjectAccessReview } from '@kubernetes/client-node';
import type { KubeClient } from '../../src/kube/client.ts';
import type { OnWire } from '../../src/kube/on-wire.ts';
import { defineResource } from '../../src/kube/resource.ts';

const accessReviews = defineResource<OnWire<V1SelfSubjectAccessReview>>({
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SelfSubjectAccessReview',
  plural: 'selfsubjectaccessreviews',
  namespaced: false,
});

/** The right to clone from a namespace. */
export const cloningFrom = (namespace: string): V1ResourceAttributes => ({
  namespace,
  verb: 'create',
  group: 'cdi.kubevirt.io',
  resource: 'datavolumes',
  subresource: 'source',
});

/** Whether the client's user may do that now. */
export async function mayDo(client: KubeClient, resourceAttributes: V1ResourceAttributes): Promise<boolean> {
  const review = await client.create(accessReviews, { spec: { resourceAttributes } });
  return review.status?.allowed ?? false;
}
