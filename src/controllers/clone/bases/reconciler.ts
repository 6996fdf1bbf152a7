import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import type { Reconciler, Result } from '../../../kube/controller.ts';
import { isBeingDeleted } from '../../../kube/finalizers.ts';
import type { ObjectKey } from '../../../kube/key.ts';
import { annotationIndex } from '../../../kube/object-index.ts';
import type { VolumeSnapshot } from '../../../kube/snapshot-resources.ts';
import { deleteTemporary } from '../../claims/population/delete-temporary.ts';
import { endRestoreHold, isHeldByRestore } from '../../claims/population/failed-restore.ts';
import { baseClassAnnotation, baseOfAnnotation, workBaseAnnotation } from '../../objects/internal-annotations.ts';
import type { ControllerContext } from '../../runtime/context.ts';
import { belongsTo, copiesOf, findBase, isIncremental, isOfCopy } from './base.ts';

const LOOK_AGAIN_MILLISECONDS = 500;
/** Until the next look at a base that a copy begins with. */
const IN_USE_MILLISECONDS = 5_000;
const HOUR_MILLISECONDS = 60 * 60_000;
/** A base that no copy has replaced for so long is not worth the storage that it keeps. */
const LONGEST_MILLISECONDS = 30 * 24 * HOUR_MILLISECONDS;

/** Index of working claims by the uid of the snapshot of the copy that they begin with. */
const byBase = annotationIndex(workBaseAnnotation);

/** Removes the snapshots of bases that no copy will begin with any more. */
export class BaseReconciler implements Reconciler {
  readonly name = 'clone-base';
  readonly #context: ControllerContext;

  constructor(context: ControllerContext) {
    this.#context = context;
  }

  /** @param key of a snapshot */
  async reconcile(key: ObjectKey): Promise<Result> {
    const { caches } = this.#context;
    const snapshot = caches.snapshots.get(key);
    const sourceUid = snapshot?.metadata?.annotations?.[baseOfAnnotation];
    if (!snapshot || sourceUid === undefined) return undefined;
    if (isBeingDeleted(snapshot)) return this.#endHold(snapshot);
    if (isOfCopy(snapshot)) {
      if (this.#isWanted(snapshot)) return { requeueAfter: HOUR_MILLISECONDS };
      if (this.#isInUse(snapshot)) return { requeueAfter: IN_USE_MILLISECONDS };
    } else if (copiesOf(caches, sourceUid).some((copy) => belongsTo(snapshot, copy))) {
      return undefined;
    }
    const outcome = await deleteTemporary(this.#context, [], [snapshot]);
    return outcome === 'waiting' ? { requeueAfter: LOOK_AGAIN_MILLISECONDS } : undefined;
  }

  /** The provisioner may hold a snapshot for long, or for ever, of which the last restore was given up. */
  async #endHold(snapshot: VolumeSnapshot): Promise<Result> {
    if (!isHeldByRestore(snapshot)) return undefined;
    if (this.#isInUse(snapshot)) return { requeueAfter: IN_USE_MILLISECONDS };
    await endRestoreHold(this.#context.client, snapshot);
    return undefined;
  }

  /** Whether the snapshot of a copy is that of the newest usable base of a claim whose owner still wants one. */
  #isWanted(copy: VolumeSnapshot): boolean {
    const { caches, now } = this.#context;
    const { uid, annotations, creationTimestamp } = copy.metadata ?? {};
    const source = this.#sourceOf(copy);
    if (!source || !isIncremental(source)) return false;
    if (now() - Date.parse(String(creationTimestamp ?? '')) > LONGEST_MILLISECONDS) return false;
    return findBase(caches, source.metadata?.uid, annotations?.[baseClassAnnotation])?.copy.metadata?.uid === uid;
  }

  #sourceOf({ metadata }: VolumeSnapshot): PersistentVolumeClaim | undefined {
    const { namespace = '', annotations, ownerReferences = [] } = metadata ?? {};
    const uid = annotations?.[baseOfAnnotation];
    const name = ownerReferences.find((owner) => owner.uid === uid)?.name ?? '';
    const claim = this.#context.caches.claims.get({ namespace, name });
    return claim?.metadata?.uid === uid ? claim : undefined;
  }

  #isInUse({ metadata }: VolumeSnapshot): boolean {
    return this.#context.caches.claims.byIndex(byBase, metadata?.uid ?? '').length > 0;
  }
}
