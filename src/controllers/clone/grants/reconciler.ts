import { cloneGrants } from '../../../api/clone-grant.ts';
import { dataVolumes } from '../../../api/data-volume.ts';
import type { Reconciler, Result } from '../../../kube/controller.ts';
import { keyOf, type ObjectKey } from '../../../kube/key.ts';
import type { ControllerContext } from '../../runtime/context.ts';
import { dataVolumeKeyOf } from './authority.ts';

/**
 * Removes the grants of deleted DataVolumes, and no others: a DataVolume that lost its grant would be issued another
 * one.
 */
export class CloneGrantReconciler implements Reconciler {
  readonly name = 'clone-grant';
  readonly #context: Pick<ControllerContext, 'client' | 'caches'>;

  constructor(context: Pick<ControllerContext, 'client' | 'caches'>) {
    this.#context = context;
  }

  async reconcile(key: ObjectKey): Promise<Result> {
    const { caches, client } = this.#context;
    const grant = caches.cloneGrants.get(key);
    if (!grant) return undefined;
    const owner = dataVolumeKeyOf(grant);
    const { uid } = grant.spec.dataVolume;
    if (caches.dataVolumes.get(owner)?.metadata.uid === uid) return undefined;
    // The cache may not show a new DataVolume yet.
    if ((await client.get(dataVolumes, owner))?.metadata.uid === uid) return undefined;
    await client.delete(cloneGrants, keyOf(grant), { uid: grant.metadata.uid });
    return undefined;
  }
}
