import { cloneGrants as grants } from '../../../api/clone-grant.ts';
import { dataVolumes } from '../../../api/data-volume.ts';
import { enqueueFrom } from '../../../kube/event-source.ts';
import { keyOf, type ObjectKey } from '../../../kube/key.ts';
import type { Caches } from '../../runtime/caches.ts';
import type { ControllerSetup } from '../../runtime/setup.ts';
import { CloneGrantReconciler } from './reconciler.ts';

/** Removes the grants of deleted DataVolumes. */
export const cloneGrants: ControllerSetup = {
  rights: [
    { resource: grants, verbs: ['delete'] },
    { resource: dataVolumes, verbs: ['get'] },
  ],
  setup(host, context) {
    const { caches } = context;
    host.addController(new CloneGrantReconciler(context), {
      watches: [
        enqueueFrom(caches.cloneGrants),
        enqueueFrom(caches.dataVolumes, ({ metadata }) => grantOf(metadata.uid, caches)),
      ],
    });
  },
};

function grantOf(dataVolumeUid: string | undefined, caches: Pick<Caches, 'cloneGrants'>): ObjectKey[] {
  const grant = caches.cloneGrants.get({ namespace: '', name: dataVolumeUid ?? '' });
  return grant ? [keyOf(grant)] : [];
}
