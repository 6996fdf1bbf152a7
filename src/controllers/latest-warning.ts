import { events } from '../kube/builtin-resources.ts';
import type { KubeClient } from '../kube/client.ts';
import type { KubeObject } from '../kube/resource.ts';

/** The message of the last Warning event on an object, such as why its volume can't be provisioned. */
export async function latestWarning(client: KubeClient, object: KubeObject): Promise<string | undefined> {
  const { uid, namespace } = object.metadata ?? {};
  const found = await client.list(events, {
    ...(namespace ? { namespace } : {}),
    fieldSelector: `involvedObject.uid=${uid},type=Warning`,
  });
  const time = (event: (typeof found)[number]) =>
    Date.parse(event.lastTimestamp ?? event.eventTime ?? event.metadata.creationTimestamp ?? '') || 0;
  return found.sort((a, b) => time(b) - time(a))[0]?.message;
}
