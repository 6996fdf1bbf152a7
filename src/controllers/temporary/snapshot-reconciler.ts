import type { Reconciler, Result } from '../../kube/controller.ts';
import { ApiError } from '../../kube/errors.ts';
import { isBeingDeleted } from '../../kube/finalizers.ts';
import type { ObjectKey } from '../../kube/key.ts';
import { releaseContentOf } from '../claims/disposal/release-content.ts';
import { workForAnnotation } from '../objects/internal-annotations.ts';
import type { ControllerContext } from '../runtime/context.ts';

const LOOK_AGAIN_MILLISECONDS = 500;

/**
 * Ensures that the contents of temporary snapshots are deleted with them, even if their class would retain the
 * contents. It does so as soon as a content exists, because the deletion of a namespace gives no further chance.
 */
export class TemporarySnapshotReconciler implements Reconciler {
  readonly name = 'temporary-snapshot';
  readonly #context: Pick<ControllerContext, 'client' | 'caches' | 'events' | 'now'>;

  constructor(context: Pick<ControllerContext, 'client' | 'caches' | 'events' | 'now'>) {
    this.#context = context;
  }

  async reconcile(key: ObjectKey): Promise<Result> {
    const snapshot = this.#context.caches.snapshots.get(key);
    if (snapshot?.metadata?.annotations?.[workForAnnotation] === undefined || isBeingDeleted(snapshot))
      return undefined;
    if (!snapshot.status?.boundVolumeSnapshotContentName) return undefined;
    const outcome = await releaseContentOf(this.#context, snapshot);
    return outcome === 'waiting' ? { requeueAfter: LOOK_AGAIN_MILLISECONDS } : undefined;
  }

  async failed(key: ObjectKey, failure: Error): Promise<void> {
    const { caches, events } = this.#context;
    const snapshot = caches.snapshots.get(key);
    if (!snapshot || !(failure instanceof ApiError)) return;
    events.event(snapshot, {
      type: 'Warning',
      reason: 'SnapshotContentRetained',
      message: `Its content ${snapshot.status?.boundVolumeSnapshotContentName} is to go with it, but the deletion policy could not be set to Delete: ${failure.message}`,
    });
  }
}
