import { events } from '../../kube/builtin-resources.ts';
import type { KubeObject } from '../../kube/resource.ts';
import type { ControllerContext } from './context.ts';
import { newestEvent } from './newest-event.ts';

/** Nobody complains of an object sooner; what is fast is not asked about. */
const GRACE_MILLISECONDS = 3_000;

/** Somebody wrote at the same time; who complains of that has tried again by now. */
const CONFLICT = 'the object has been modified';

/** The message of the last Warning event on an object, such as why its volume can't be provisioned. */
export async function latestWarning(
  { client, now }: Pick<ControllerContext, 'client' | 'now'>,
  object: KubeObject,
): Promise<string | undefined> {
  const { uid, namespace, creationTimestamp } = object.metadata ?? {};
  if (now() - Date.parse(creationTimestamp ?? '') < GRACE_MILLISECONDS) return undefined;
  const found = await client.list(events, {
    ...(namespace ? { namespace } : {}),
    fieldSelector: `involvedObject.uid=${uid},type=Warning`,
  });
  return newestEvent(found.filter(({ message }) => !message?.includes(CONFLICT)))?.message;
}
