import { cdis } from '../../api/cdi.ts';
import { cdiConfigs } from '../../api/cdi-config.ts';
import { enqueueFrom } from '../../kube/event-source.ts';
import { keyOf, type ObjectKey } from '../../kube/key.ts';
import type { Caches } from '../runtime/caches.ts';
import { CDI_NAME } from '../runtime/config-view.ts';
import { mayOwn } from '../runtime/rights.ts';
import type { ControllerSetup } from '../runtime/setup.ts';
import { CDIReconciler } from './reconciler.ts';

/** Maintains the CDI object and the CDIConfig. */
export const cdi: ControllerSetup = {
  rights: [
    { resource: cdis, verbs: ['get', 'create'] },
    { resource: cdis, subresource: 'status', verbs: ['patch'] },
    mayOwn(cdis),
    { resource: cdiConfigs, verbs: ['create', 'patch'] },
    { resource: cdiConfigs, subresource: 'status', verbs: ['patch'] },
  ],
  setup(host, context) {
    const { caches } = context;
    host.addController(new CDIReconciler(context, context.version), {
      watches: [
        enqueueFrom(caches.cdis, () => cdiKeys(caches)),
        enqueueFrom(caches.cdiConfigs, () => cdiKeys(caches)),
        enqueueFrom(caches.storageClasses, () => cdiKeys(caches)),
      ],
    });
  },
};

/** Returns the keys of the existing CDI objects, or the key of the one that should exist. */
function cdiKeys(caches: Pick<Caches, 'cdis'>): ObjectKey[] {
  const keys = caches.cdis.list().map(keyOf);
  return keys.length > 0 ? keys : [{ namespace: '', name: CDI_NAME }];
}
