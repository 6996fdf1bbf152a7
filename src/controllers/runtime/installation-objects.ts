import {
  type ConfigMap,
  configMaps,
  type Deployment,
  deployments,
  type Secret,
  secrets,
} from '../../kube/builtin-resources.ts';
import type { Informer } from '../../kube/informer.ts';
import type { ControllerHost } from './setup.ts';

/**
 * Returns the cache of one Secret in the namespace of the installation, the same for everybody who asks. It needs the
 * right to list and watch the Secret of that name, and no other.
 */
export function cachedSecret(
  host: Pick<ControllerHost, 'informer'>,
  namespace: string,
  name: string,
): Informer<Secret> {
  return host.informer(secrets, { namespace, fieldSelector: `metadata.name=${name}` });
}

/** Returns the cache of one ConfigMap in the namespace of the installation, as {@link cachedSecret} does. */
export function cachedConfigMap(
  host: Pick<ControllerHost, 'informer'>,
  namespace: string,
  name: string,
): Informer<ConfigMap> {
  return host.informer(configMaps, { namespace, fieldSelector: `metadata.name=${name}` });
}

/** Returns the cache of one Deployment in the namespace of the installation, as {@link cachedSecret} does. */
export function cachedDeployment(
  host: Pick<ControllerHost, 'informer'>,
  namespace: string,
  name: string,
): Informer<Deployment> {
  return host.informer(deployments, { namespace, fieldSelector: `metadata.name=${name}` });
}
