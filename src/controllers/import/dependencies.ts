import { populationAnnotation as names } from '../../api/annotations.ts';
import { CERTIFICATES_DIRECTORY, CREDENTIALS_DIRECTORY, SECRET_HEADERS_DIRECTORY } from '../../api/transfer-pod.ts';
import { configMaps, secrets, type PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import type { KubeClient } from '../../kube/client.ts';
import { WaitingError } from '../../kube/errors.ts';
import type { PodVolume } from '../transfer-pod.ts';
import { numbered } from './annotations.ts';
import { isPulledByNode } from './request.ts';

const RETRY_MILLISECONDS = 2_000;

interface SecretDependency {
  readonly name: string;
  /** The Secret must have all keys of one of these. */
  readonly keys: readonly (readonly string[])[];
  readonly path: string;
}

/** The objects beside the claim that an import needs, by name in the claim's namespace, and where its pod finds them. */
export interface ImportDependencies {
  readonly secrets: readonly SecretDependency[];
  readonly configMaps: readonly { readonly name: string; readonly path: string }[];
}

const LOGIN = ['accessKeyId', 'secretKey'] as const;

/** What an import needs to find mounted, from the claim's annotations. */
export function importDependenciesOf(claim: PersistentVolumeClaim): ImportDependencies {
  const annotations = claim.metadata?.annotations ?? {};
  // The node has certificates and credentials of its own, besides the pod's pull secrets.
  if (isPulledByNode(claim)) return { secrets: [], configMaps: [] };
  const secretName = annotations[names.importSecretName];
  const configMapName = annotations[names.importCertConfigMap];
  return {
    secrets: [
      ...(secretName
        ? [{ name: secretName, keys: credentialKeys(annotations[names.importSource]), path: CREDENTIALS_DIRECTORY }]
        : []),
      ...numbered(annotations, names.importSecretExtraHeadersPrefix).map((name, index) => ({
        name,
        keys: [],
        path: `${SECRET_HEADERS_DIRECTORY}/${index}`,
      })),
    ],
    configMaps: configMapName ? [{ name: configMapName, path: CERTIFICATES_DIRECTORY }] : [],
  };
}

function credentialKeys(source: string | undefined): SecretDependency['keys'] {
  if (source === 'gcs') return [['credentials.json']];
  if (source === 'registry') return [LOGIN, ['.dockerconfigjson']];
  return [LOGIN];
}

/** The pod's volumes for an import's dependencies. */
export function dependencyMounts(dependencies: ImportDependencies): { volume: PodVolume; path: string }[] {
  return [
    ...dependencies.secrets.map(({ name, path }, index) => ({
      volume: { name: `secret-${index}`, secret: { secretName: name, defaultMode: 0o440 } },
      path,
    })),
    ...dependencies.configMaps.map(({ name, path }, index) => ({
      volume: { name: `configmap-${index}`, configMap: { name, defaultMode: 0o440 } },
      path,
    })),
  ];
}

/**
 * A pod whose Secret is missing would wait without a word: looks first, and says what is missing.
 *
 * @throws WaitingError SecretNotFound, ConfigMapNotFound
 */
export async function requireDependencies(
  client: KubeClient,
  namespace: string,
  dependencies: ImportDependencies,
): Promise<void> {
  const wait = (reason: string, message: string): never => {
    throw new WaitingError(reason, `${message}, and the import starts`, { after: RETRY_MILLISECONDS });
  };
  for (const { name, keys } of dependencies.secrets) {
    const secret = await client.get(secrets, { namespace, name });
    const wanted = keys.map((set) => set.join(' and ')).join(', or ');
    if (!secret) {
      const how = wanted ? `create it with the keys ${wanted}` : 'create it';
      wait('SecretNotFound', `Secret "${name}" does not exist in namespace "${namespace}"; ${how}`);
    }
    const complete = keys.length === 0 || keys.some((set) => set.every((key) => secret?.data?.[key] !== undefined));
    if (!complete) {
      wait('SecretNotFound', `Secret "${name}" in namespace "${namespace}" does not have the keys ${wanted}; add them`);
    }
  }
  for (const { name } of dependencies.configMaps) {
    if (await client.get(configMaps, { namespace, name })) continue;
    wait(
      'ConfigMapNotFound',
      `ConfigMap "${name}" does not exist in namespace "${namespace}"; create it with the certificates in PEM`,
    );
  }
}
