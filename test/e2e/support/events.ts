import { type Event, events } from '../../../src/kube/builtin-resources.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import type { KubeObject } from '../../../src/kube/resource.ts';

/** The events about an object, oldest first. */
export async function eventsOf(client: KubeClient, object: KubeObject): Promise<Event[]> {
  const { namespace, uid } = object.metadata ?? {};
  const found = await client.list(events, { namespace, fieldSelector: `involvedObject.uid=${uid}` });
  const time = ({ eventTime, firstTimestamp, metadata }: Event) =>
    String(eventTime ?? firstTimestamp ?? metadata?.creationTimestamp ?? '');
  return found.sort((one, other) => time(one).localeCompare(time(other)));
}
