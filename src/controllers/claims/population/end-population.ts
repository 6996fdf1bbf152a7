import { finalizer } from '../../../api/finalizers.ts';
import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import type { Result } from '../../../kube/controller.ts';
import { hasFinalizer } from '../../../kube/finalizers.ts';
import type { ControllerContext } from '../../runtime/context.ts';
import { originOfVolume, requireOwnVolume } from '../rebind/foreign-volume.ts';
import { releaseTarget, removeTemporary, untilRemoved } from './release-target.ts';

/**
 * Ends the population of a bound target claim, unless that was done before: the objects that were created for it are
 * removed, and it is released.
 *
 * @param onSuccess annotations to be written with the release of a claim that has its data
 * @throws TerminalError ErrClaimNotValid where Kubernetes has bound the claim to a volume that was not handed over to
 * it
 * @throws WaitingError while that is not known
 */
export async function endPopulation(
  context: ControllerContext,
  target: PersistentVolumeClaim,
  onSuccess: () => Readonly<Record<string, string>> = () => ({}),
): Promise<Result> {
  if (!hasFinalizer(target, finalizer.clonePopulator)) return undefined;
  if (originOfVolume(context.caches, target) === 'foreign') {
    const outcome = await removeTemporary(context, target);
    if (outcome !== 'done') return untilRemoved(outcome);
  }
  requireOwnVolume(context.caches, target);
  return releaseTarget(context, target, onSuccess());
}
