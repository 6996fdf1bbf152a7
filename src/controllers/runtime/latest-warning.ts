import type { KubeClient } from '../../kube/client.ts';
import { isAboutCache, isAboutConflict } from '../../kube/errors.ts';
import type { KubeObject } from '../../kube/resource.ts';
import type { ControllerContext } from './context.ts';
import { RecentWarnings } from './recent-warnings.ts';

/**
 * Age below which an object's events are not read, because nothing warns about it sooner, and fast work needs no
 * request.
 */
const GRACE_MILLISECONDS = 3_000;

/** The least and the most milliseconds between two looks at the events of an object. */
const LEAST_MILLISECONDS = 2_000;
const MOST_MILLISECONDS = 30_000;
/** The part of an object's age that passes between two looks: what has lasted for long seldom changes soon. */
const PART_OF_AGE = 0.25;

const warningsOf = new WeakMap<KubeClient, RecentWarnings>();

/** Returns the milliseconds after which it is worth looking at the events of a waiting object again. */
export function untilNextLook({ now }: Pick<ControllerContext, 'now'>, { metadata }: KubeObject): number {
  const age = now() - Date.parse(metadata?.creationTimestamp ?? '');
  return Math.min(MOST_MILLISECONDS, Math.max(LEAST_MILLISECONDS, Math.round((age || 0) * PART_OF_AGE)));
}

/**
 * Returns the message of the last Warning event on a namespaced object, such as why its volume cannot be provisioned.
 *
 * @param options.counts whether events of a reason count; by default, all do
 */
export async function latestWarning(
  { client, now }: Pick<ControllerContext, 'client' | 'now'>,
  object: KubeObject,
  { counts = () => true }: { readonly counts?: (reason: string) => boolean } = {},
): Promise<string | undefined> {
  const { uid = '', namespace = '', creationTimestamp } = object.metadata ?? {};
  if (now() - Date.parse(creationTimestamp ?? '') < GRACE_MILLISECONDS) return undefined;
  const warnings = warningsOf.get(client) ?? new RecentWarnings(client);
  warningsOf.set(client, warnings);
  const found = await warnings.about(namespace, uid, now());
  const counted = found.filter(({ reason, message }) => {
    return counts(reason) && !isAboutConflict(message) && !isAboutCache(message);
  });
  return counted.toSorted((a, b) => b.seenAt - a.seenAt)[0]?.message;
}
