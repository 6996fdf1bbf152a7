import { storageProfiles } from '../../api/storage-profile.ts';
import { NO_PROVISIONER } from '../../kube/builtin-resources.ts';
import { enqueueFrom } from '../../kube/event-source.ts';
import { keyOf, type ObjectKey } from '../../kube/key.ts';
import type { Caches } from '../runtime/caches.ts';
import type { ControllerSetup } from '../runtime/setup.ts';
import { registerStorageProfileMetric } from './metric.ts';
import { StorageProfileReconciler } from './reconciler.ts';

/** Maintains a StorageProfile for each StorageClass. */
export const storageProfile: ControllerSetup = {
  rights: [
    { resource: storageProfiles, verbs: ['get', 'create', 'patch'] },
    { resource: storageProfiles, subresource: 'status', verbs: ['patch'] },
  ],
  setup(host, context) {
    const { caches } = context;
    host.addController(new StorageProfileReconciler(context), {
      watches: [
        enqueueFrom(caches.storageClasses),
        enqueueFrom(caches.storageProfiles),
        enqueueFrom(caches.snapshotClasses, () => caches.storageClasses.list().map(keyOf)),
        enqueueFrom(caches.volumes, ({ spec }) => staticClassesOf(caches, spec?.storageClassName)),
      ],
    });
    registerStorageProfileMetric(host.metrics.registry, caches);
  },
};

/** Returns the class of a volume if its profile is derived from its volumes. */
function staticClassesOf({ storageClasses }: Pick<Caches, 'storageClasses'>, name: string | undefined): ObjectKey[] {
  const found = name === undefined ? undefined : storageClasses.get({ namespace: '', name });
  return found?.provisioner === NO_PROVISIONER ? [keyOf(found)] : [];
}
