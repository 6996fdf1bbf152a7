import type { V1EnvVar } from '@kubernetes/client-node';
import { ownerReference } from '../../../kube/apply.ts';
import { configMaps, type PersistentVolumeClaim, pods, type Secret, secrets } from '../../../kube/builtin-resources.ts';
import { WaitingError } from '../../../kube/errors.ts';
import { keyOf } from '../../../kube/key.ts';
import type { KubeObject } from '../../../kube/resource.ts';
import { proxyCertificatesName, proxySecretName } from '../../../protocol/object-names.ts';
import { PROXY_CERTIFICATES_DIRECTORY } from '../../../protocol/transfer-pod.ts';
import { deleteOwn } from '../../objects/delete-own.ts';
import { marksFor } from '../../objects/made-for.ts';
import { replaceOwn } from '../../objects/replace-own.ts';
import type { ControllerContext } from '../../runtime/context.ts';
import { hasLogin } from '../../runtime/proxy-login.ts';
import type { TransferPodOptions } from '../../transfers/transfer-pod.ts';
import { importPodNameOf } from '../stages/stages.ts';

/** The ConfigMap is not watched, so it is looked up again after this time. */
const NOT_FOUND_MILLISECONDS = 15_000;

/** The environment and the mounts that a pod needs to use the proxies. */
export interface ProxyAccess {
  readonly env: readonly V1EnvVar[];
  readonly mounts: TransferPodOptions['mounts'];
}

/**
 * Creates the objects that an import pod needs to use the proxies: a Secret with the proxies that require a login, and
 * a ConfigMap with the certificates, copied from the service's namespace. Both are deleted with the claim.
 *
 * @throws WaitingError ConfigMapNotFound; ErrResourceExists where an object of another owner has the name of one of
 *   them
 */
export async function provideProxy(
  { client, config }: Pick<ControllerContext, 'client' | 'config'>,
  claim: PersistentVolumeClaim,
): Promise<ProxyAccess> {
  const { HTTPProxy = '', HTTPSProxy = '', noProxy = '', trustedCAProxy = '' } = config.importProxy;
  const given = { HTTP_PROXY: HTTPProxy, HTTPS_PROXY: HTTPSProxy, NO_PROXY: noProxy };
  const variables = Object.entries(given).filter(([, value]) => value !== '');
  const logins = variables.filter(([, value]) => hasLogin(value));
  const { namespace, name } = keyOf(claim);
  const secretName = proxySecretName(claim.metadata?.uid ?? '');
  const configMapName = proxyCertificatesName(name);
  const needsObjects = logins.length > 0 || trustedCAProxy !== '';
  // The pod may exist although the cache does not show it yet; replacing its objects would take them away for a moment.
  if (needsObjects && !(await client.get(pods, { namespace, name: importPodNameOf(claim) }))) {
    if (logins.length > 0) {
      const stringData = Object.fromEntries(logins);
      const secret: Secret = { ...objectOf(claim, secretName), type: 'Opaque', stringData };
      await replaceOwn(client, secrets, secret);
    }
    if (trustedCAProxy !== '') {
      const data = await readCertificates({ client, config }, trustedCAProxy);
      await replaceOwn(client, configMaps, { ...objectOf(claim, configMapName), data });
    }
  }
  return {
    env: variables.map(([variable, value]) =>
      hasLogin(value)
        ? { name: variable, valueFrom: { secretKeyRef: { name: secretName, key: variable } } }
        : { name: variable, value },
    ),
    mounts:
      trustedCAProxy === ''
        ? []
        : [
            {
              volume: { name: 'proxy-certificates', configMap: { name: configMapName, defaultMode: 0o440 } },
              path: PROXY_CERTIFICATES_DIRECTORY,
            },
          ],
  };
}

/** Removes the objects that {@link provideProxy} created, once the import is over. */
export async function removeProxy(
  { client, config }: Pick<ControllerContext, 'client' | 'config'>,
  claim: PersistentVolumeClaim,
): Promise<void> {
  const { HTTPProxy = '', HTTPSProxy = '', trustedCAProxy = '' } = config.importProxy;
  const { namespace, name } = keyOf(claim);
  if (hasLogin(HTTPProxy) || hasLogin(HTTPSProxy))
    await deleteOwn(client, secrets, { namespace, name: proxySecretName(claim.metadata?.uid ?? '') });
  if (trustedCAProxy !== '') await deleteOwn(client, configMaps, { namespace, name: proxyCertificatesName(name) });
}

async function readCertificates(
  { client, config: { namespace } }: Pick<ControllerContext, 'client' | 'config'>,
  name: string,
): Promise<Record<string, string>> {
  const original = await client.get(configMaps, { namespace, name });
  if (original) return original.data ?? {};
  throw new WaitingError(
    'ConfigMapNotFound',
    `ConfigMap "${name}", which importProxy.trustedCAProxy names, does not exist in namespace "${namespace}"; ` +
      'create it with the certificates in PEM, and the import starts',
    { after: NOT_FOUND_MILLISECONDS },
  );
}

/**
 * Returns the metadata that both objects share, including the mark that allows the controllers to delete them again.
 */
function objectOf(claim: PersistentVolumeClaim, name: string): Required<Pick<KubeObject, 'metadata'>> {
  return {
    metadata: {
      namespace: keyOf(claim).namespace,
      name,
      ...marksFor(claim),
      ownerReferences: [ownerReference(claim)],
    },
  };
}
