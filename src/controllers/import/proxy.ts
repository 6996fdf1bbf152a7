import type { ImportProxy } from '../../api/cdi-config.ts';
import { objectLabels } from '../../api/labels.ts';
import { proxyCertificatesName } from '../../api/object-names.ts';
import { PROXY_CERTIFICATES_DIRECTORY } from '../../api/transfer-pod.ts';
import { configMaps, type PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import { WaitingError } from '../../kube/errors.ts';
import { keyOf } from '../../kube/key.ts';
import type { OwnerReference } from '../../kube/resource.ts';
import type { ControllerContext } from '../context.ts';
import type { ImportDependencies } from './dependencies.ts';

const FIELD_MANAGER = 'diskpress-import';

/** The proxies as a pod's environment names them. */
export function proxyEnvironment({ HTTPProxy, HTTPSProxy, noProxy }: ImportProxy): Record<string, string> {
  return {
    ...(HTTPProxy ? { HTTP_PROXY: HTTPProxy } : {}),
    ...(HTTPSProxy ? { HTTPS_PROXY: HTTPSProxy } : {}),
    ...(noProxy ? { NO_PROXY: noProxy } : {}),
  };
}

/**
 * Brings the certificates for the proxy, which are in the service's namespace, to where an import's pod can mount them.
 *
 * @throws WaitingError ConfigMapNotFound
 */
export async function provideProxyCertificates(
  { client, config }: Pick<ControllerContext, 'client' | 'config'>,
  claim: PersistentVolumeClaim,
  owner: OwnerReference,
): Promise<ImportDependencies['configMaps']> {
  const { trustedCAProxy: name } = config.importProxy;
  if (!name) return [];
  const original = await client.get(configMaps, { namespace: config.namespace, name });
  if (!original) {
    throw new WaitingError(
      'ConfigMapNotFound',
      `ConfigMap "${name}", which importProxy.trustedCAProxy names, does not exist in namespace "${config.namespace}"; ` +
        'create it with the certificates in PEM, and the import starts',
    );
  }
  const key = { namespace: keyOf(claim).namespace, name: proxyCertificatesName(keyOf(claim).name) };
  await client.apply(
    configMaps,
    { metadata: { ...key, labels: { ...objectLabels }, ownerReferences: [owner] }, data: original.data ?? {} },
    { fieldManager: FIELD_MANAGER },
  );
  return [{ name: key.name, path: PROXY_CERTIFICATES_DIRECTORY }];
}
