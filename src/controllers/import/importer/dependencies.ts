import { populationAnnotation as names } from '../../../api/annotations.ts';
import {
  CERTIFICATES_DIRECTORY,
  CREDENTIALS_DIRECTORY,
  SECRET_HEADERS_DIRECTORY,
  type ImportDependency,
} from '../../../protocol/transfer-pod.ts';
import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import { keyOf } from '../../../kube/key.ts';
import type { TransferPodOptions } from '../../transfers/transfer-pod.ts';
import { isPulledByNode, numbered } from './annotations.ts';

const LOGIN = ['accessKeyId', 'secretKey'];

/** The Secrets and ConfigMaps that an import needs to find mounted, from the claim's annotations. */
export function importDependenciesOf(claim: PersistentVolumeClaim): ImportDependency[] {
  const annotations = claim.metadata?.annotations ?? {};
  // The node has certificates and credentials of its own, besides the pod's pull secrets.
  if (isPulledByNode(annotations)) return [];
  const { namespace } = keyOf(claim);
  const secret = annotations[names.importSecretName];
  const configMap = annotations[names.importCertConfigMap];
  const headers = numbered(annotations, names.importSecretExtraHeadersPrefix);
  const keys = credentialKeys(annotations[names.importSource]);
  const all: ImportDependency[] = [
    { kind: 'Secret', namespace, name: secret ?? '', keys, path: CREDENTIALS_DIRECTORY },
    ...headers.map((name, index) => {
      return { kind: 'Secret' as const, namespace, name, keys: [], path: `${SECRET_HEADERS_DIRECTORY}/${index}` };
    }),
    { kind: 'ConfigMap', namespace, name: configMap ?? '', keys: [], path: CERTIFICATES_DIRECTORY },
  ];
  return all.filter(({ name }) => name !== '');
}

function credentialKeys(source: string | undefined): string[][] {
  if (source === 'gcs') return [['credentials.json']];
  if (source === 'registry') return [LOGIN, ['.dockerconfigjson']];
  return [LOGIN];
}

/** The pod's volumes for an import's dependencies. Without the object a pod that must have it would wait without a word. */
export function dependencyMounts(dependencies: readonly ImportDependency[]): TransferPodOptions['mounts'] {
  return dependencies.map(({ kind, name, path }, index) => {
    const source = { defaultMode: 0o440, optional: true };
    const volume = kind === 'Secret' ? { secret: { secretName: name, ...source } } : { configMap: { name, ...source } };
    return { volume: { name: `${kind.toLowerCase()}-${index}`, ...volume }, path };
  });
}
