import { cdis } from '../../api/cdi.ts';
import { cdiConfigs } from '../../api/cdi-config.ts';
import { POD_ROLE_LABEL } from '../../api/labels.ts';
import { deployments, type Pod, services } from '../../kube/builtin-resources.ts';
import { enqueueFrom } from '../../kube/event-source.ts';
import { keyOf, type ObjectKey } from '../../kube/key.ts';
import type { Caches } from '../runtime/caches.ts';
import { CDI_NAME, cdiInForce } from '../runtime/config-view.ts';
import { cachedDeployment } from '../runtime/installation-objects.ts';
import { mayOwn, type Right } from '../runtime/rights.ts';
import type { ControllerSetup } from '../runtime/setup.ts';
import { customizableKinds, deploymentNames } from './installation.ts';
import { CDIReconciler } from './reconciler.ts';
import { isBlocking } from './uninstall.ts';

/** Rights to patch the objects of the installation, by their names. */
const customizing: readonly Right[] = customizableKinds.map(({ resource, names }) => ({
  resource,
  verbs: ['get', 'patch'],
  within: 'installation',
  names,
}));

/** Maintains the CDI object, the CDIConfig, and what the CDI object says of the installation. */
export const cdi: ControllerSetup = {
  rights: [
    { resource: cdis, verbs: ['get', 'create', 'patch'] },
    { resource: cdis, subresource: 'status', verbs: ['patch'] },
    mayOwn(cdis),
    { resource: cdiConfigs, verbs: ['create', 'patch'] },
    { resource: cdiConfigs, subresource: 'status', verbs: ['patch'] },
    { resource: deployments, verbs: ['list', 'watch'], within: 'installation', names: deploymentNames },
    { resource: services, verbs: ['get'] },
    ...customizing,
  ],
  setup(host, context) {
    const { caches } = context;
    const { namespace } = context.config;
    const roleOf = ({ metadata }: Pod) =>
      metadata?.namespace === namespace ? metadata.labels?.[POD_ROLE_LABEL] : undefined;
    const cached = new Map(deploymentNames.map((name) => [name, cachedDeployment(host, namespace, name)] as const));
    const installation = {
      deployments: cached,
      podsOf: (name: string) => caches.pods.list().filter((pod) => roleOf(pod) === name),
    };
    const all = () => cdiKeys(caches);
    host.addController(new CDIReconciler(context, installation), {
      watches: [
        enqueueFrom(caches.cdis, all),
        enqueueFrom(caches.cdiConfigs, all),
        enqueueFrom(caches.storageClasses, all),
        ...[...cached.values()].map((deployment) => enqueueFrom(deployment, all)),
        enqueueFrom(caches.pods, (pod) => (deploymentNames.includes(roleOf(pod) ?? '') ? all() : [])),
        enqueueFrom(caches.dataVolumes, () => {
          const inForce = cdiInForce(caches.cdis);
          return inForce && isBlocking(inForce) ? [keyOf(inForce)] : [];
        }),
      ],
      // Several objects are changed one after the other, and there is one CDI object in force.
      workers: 1,
    });
  },
};

/** Returns the keys of the existing CDI objects, or the key of the one that should exist. */
function cdiKeys(caches: Pick<Caches, 'cdis'>): ObjectKey[] {
  const keys = caches.cdis.list().map(keyOf);
  return keys.length > 0 ? keys : [{ namespace: '', name: CDI_NAME }];
}
