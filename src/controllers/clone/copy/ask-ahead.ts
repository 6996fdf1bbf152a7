import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import { keyOf } from '../../../kube/key.ts';
import { isBound } from '../../claims/bound.ts';
import { SNAPSHOT_PATIENCE_MILLISECONDS } from '../../claims/population/remove-when-settled.ts';
import { waitsForFirstConsumer } from '../../claims/wait-for-first-consumer.ts';
import type { CloneContext } from '../metrics/clone-count.ts';
import type { CloneSource } from '../source/source.ts';
import { forgetRanges, inquire, isWorthAsking } from './inquire.ts';
import type { Inquiries } from './inquiries.ts';

/** Longest time until the next look at a source of which something is being found out. */
const LOOK_AGAIN_MILLISECONDS = 1_000;

/**
 * Has the driver of a source asked while the claim that is copied into gets its volume, which takes about as long. What
 * takes much longer begins when the volume is there: until then a snapshot would be kept, and the source looked at.
 *
 * @param claim that is copied into, of which there is no pod
 * @param source that no pod may be writing to
 * @returns in how many milliseconds this has to be called again at the latest
 */
export async function askAhead(
  context: CloneContext,
  inquiries: Inquiries,
  claim: PersistentVolumeClaim,
  source: CloneSource,
): Promise<number> {
  const { namespace, creationTimestamp } = claim.metadata ?? {};
  const hasVolume = isBound(claim) || waitsForFirstConsumer(claim, context.caches);
  // What is made in another namespace needs a finalizer first, and the claim must not be written to yet.
  if (hasVolume || namespace !== source.key.namespace || !(await isWorthAsking(context, claim, source))) {
    return Infinity;
  }
  const isLate = context.now() - Date.parse(String(creationTimestamp)) > SNAPSHOT_PATIENCE_MILLISECONDS;
  if (isLate || inquiries.look(claim, source).isOver) {
    if ((await forgetRanges(context, claim, source.key.namespace)) === 'waiting') return LOOK_AGAIN_MILLISECONDS;
    inquiries.forget(keyOf(claim));
    return isLate ? Infinity : LOOK_AGAIN_MILLISECONDS;
  }
  // What comes of it is looked for again when the volume is there.
  await inquire(context, inquiries.look(claim, source), claim, source);
  return LOOK_AGAIN_MILLISECONDS;
}
