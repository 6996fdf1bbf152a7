import type { CloneGrant } from '../../../api/clone-grant.ts';
import { keyOf, type Key } from '../../../kube/key.ts';
import type { Outcome, Reconciler } from '../../../kube/controller.ts';
import type { ControllerContext } from '../../runtime/context.ts';
import { cloneGrants, dataVolumes } from '../../runtime/resources.ts';

/** The DataVolume that a grant was made for. */
export function dataVolumeKeyOf({ spec }: CloneGrant): Key {
  return { namespace: spec.dataVolume.namespace, name: spec.dataVolume.name };
}

/**
 * Removes the grants of DataVolumes that are gone, and no others: a DataVolume that lost its grant would be given another one.
 */
export class CloneGrantReconciler implements Reconciler {
  readonly name = 'clone-grant';
  readonly #context: Pick<ControllerContext, 'client' | 'caches'>;

  constructor(context: Pick<ControllerContext, 'client' | 'caches'>) {
    this.#context = context;
  }

  async reconcile(key: Key): Promise<Outcome> {
    const { caches, client } = this.#context;
    const grant = caches.cloneGrants.get(key);
    if (!grant) return undefined;
    const owner = dataVolumeKeyOf(grant);
    const { uid } = grant.spec.dataVolume;
    if (caches.dataVolumes.get(owner)?.metadata.uid === uid) return undefined;
    // The cache may not know of it yet.
    if ((await client.get(dataVolumes, owner))?.metadata.uid === uid) return undefined;
    await client.delete(cloneGrants, keyOf(grant), { uid: grant.metadata.uid });
    return undefined;
  }
}
