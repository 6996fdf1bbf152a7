import { type PersistentVolumeClaim, persistentVolumeClaims, type Pod, pods } from '../../../kube/builtin-resources.ts';
import { keyOf } from '../../../kube/key.ts';
import { annotateClaim } from '../../claims/annotate-claim.ts';
import { onePodGivenUpAnnotation, workTakenAnnotation } from '../../objects/internal-annotations.ts';
import type { CloneContext } from '../metrics/clone-count.ts';
import type { Inquiries } from './inquiries.ts';
import { hasBegun } from './known-ranges.ts';
import { onePodTrouble } from './one-pod-trouble.ts';
import { sayTwoPods } from './say-two-pods.ts';

const FIELD_MANAGER = 'diskpress-copy-placement';

/**
 * Gives up a pod with both volumes that does not get them: what the scheduler or the kubelet says of the reason is for
 * people only, and two pods need less of a node each. It stays given up for this copy.
 *
 * @returns `given-up`, or in how many milliseconds that may be due; undefined where the pod has what it needs
 */
export async function giveUpOnePod(
  context: CloneContext,
  inquiries: Inquiries,
  claim: PersistentVolumeClaim,
  pod: Pod,
): Promise<'given-up' | number | undefined> {
  const trouble = await onePodTrouble(context, pod);
  if (typeof trouble !== 'object') return trouble;
  // Whoever takes over from here has to know.
  await annotateClaim(context.client, claim, FIELD_MANAGER, { [onePodGivenUpAnnotation]: 'true' });
  const { uid, resourceVersion } = pod.metadata ?? {};
  await context.client.delete(pods, keyOf(pod), { uid, resourceVersion });
  sayTwoPods(context, claim, trouble.why);
  // Without a node it has not read anything, which the version would tell: the copy has not begun.
  if (trouble.hasNode) return 'given-up';
  inquiries.forget(keyOf(claim));
  if (hasBegun(claim)) {
    const annotations = { [workTakenAnnotation]: null };
    await context.client.mergePatch(persistentVolumeClaims, keyOf(claim), {
      metadata: { uid: claim.metadata?.uid, annotations },
    });
  }
  return 'given-up';
}
