import { type PersistentVolumeClaim, persistentVolumeClaims, type Pod, pods } from '../../../kube/builtin-resources.ts';
import { keyOf } from '../../../kube/key.ts';
import { annotateClaim } from '../../claims/annotate-claim.ts';
import { onePodGivenUpAnnotation, workTakenAnnotation } from '../../objects/internal-annotations.ts';
import type { CloneContext } from '../metrics/clone-count.ts';
import type { Inquiries } from './inquiries.ts';
import { hasBegun } from './known-ranges.ts';
import { hasBothVolumes } from './one-pod.ts';
import { sayTwoPods } from './say-two-pods.ts';

const FIELD_MANAGER = 'diskpress-copy-placement';
/** How long the scheduler may find no node for a pod with both volumes before two pods get one each. */
const PATIENCE_MILLISECONDS = 15_000;

/**
 * Gives up a pod with both volumes for which the scheduler finds no node: what it says of the reason is for people
 * only, and two pods need less of a node each.
 *
 * @returns `given-up`, or in how many milliseconds that may be due; undefined where the pod has its node
 */
export async function giveUpOnePod(
  context: CloneContext,
  inquiries: Inquiries,
  claim: PersistentVolumeClaim,
  pod: Pod,
): Promise<'given-up' | number | undefined> {
  const scheduled = pod.status?.conditions?.find(({ type }) => type === 'PodScheduled');
  if (!hasBothVolumes(pod) || scheduled?.status !== 'False' || scheduled.reason !== 'Unschedulable') return undefined;
  const since = Date.parse(String(scheduled.lastTransitionTime));
  const left = Number.isNaN(since) ? PATIENCE_MILLISECONDS : since + PATIENCE_MILLISECONDS - context.now();
  if (left > 0) return left;
  // Whoever takes over from here has to know.
  await annotateClaim(context.client, claim, FIELD_MANAGER, { [onePodGivenUpAnnotation]: 'true' });
  sayTwoPods(context, claim, `no node takes a pod with both volumes (${scheduled.message ?? 'unschedulable'})`);
  const { uid, resourceVersion } = pod.metadata ?? {};
  await context.client.delete(pods, keyOf(pod), { uid, resourceVersion });
  // It has not read anything, unless it has got a node, which the version would tell: the copy has not begun.
  inquiries.forget(keyOf(claim));
  if (hasBegun(claim)) {
    const annotations = { [workTakenAnnotation]: null };
    await context.client.mergePatch(persistentVolumeClaims, keyOf(claim), {
      metadata: { uid: claim.metadata?.uid, annotations },
    });
  }
  return 'given-up';
}
