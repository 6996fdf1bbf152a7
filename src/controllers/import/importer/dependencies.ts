import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import { keyOf } from '../../../kube/key.ts';
import {
  CERTIFICATES_DIRECTORY,
  CREDENTIALS_DIRECTORY,
  type ImportDependency,
  SECRET_HEADERS_DIRECTORY,
  VDDK_OPTIONS_DIRECTORY,
} from '../../../protocol/transfer-pod.ts';
import type { TransferPodOptions } from '../../transfers/transfer-pod.ts';
import { askedSource } from './asked-source.ts';

/**
 * Returns the Secrets and ConfigMaps that an import needs to find mounted, according to the claim's annotations.
 *
 * @throws TerminalError UnsupportedSource
 */
export function importDependenciesOf(claim: PersistentVolumeClaim): ImportDependency[] {
  const annotations = claim.metadata?.annotations ?? {};
  const { namespace } = keyOf(claim);
  const {
    credentials,
    secretHeaders = [],
    certificates,
    libraryOptions,
  } = askedSource(annotations).neededObjects?.(annotations) ?? {};
  const secret = (name: string | undefined, keys: readonly (readonly string[])[], path: string): ImportDependency => ({
    kind: 'Secret',
    namespace,
    name: name ?? '',
    keys: keys.map((set) => [...set]),
    path,
  });
  const configMap = (name: string | undefined, path: string): ImportDependency => ({
    kind: 'ConfigMap',
    namespace,
    name: name ?? '',
    keys: [],
    path,
  });
  const all: ImportDependency[] = [
    secret(credentials?.secretName, credentials?.keys ?? [], CREDENTIALS_DIRECTORY),
    ...secretHeaders.map((name, index) => secret(name, [], `${SECRET_HEADERS_DIRECTORY}/${index}`)),
    configMap(certificates, CERTIFICATES_DIRECTORY),
    configMap(libraryOptions, VDDK_OPTIONS_DIRECTORY),
  ];
  return all.filter(({ name }) => name !== '');
}

/**
 * Returns the pod's volumes for an import's dependencies. They are optional, because a pod whose volume requires a
 * missing object waits for it without an explanation.
 */
export function dependencyMounts(dependencies: readonly ImportDependency[]): TransferPodOptions['mounts'] {
  return dependencies.map(({ kind, name, path }, index) => {
    const source = { defaultMode: 0o440, optional: true };
    const volume = kind === 'Secret' ? { secret: { secretName: name, ...source } } : { configMap: { name, ...source } };
    return { volume: { name: `${kind.toLowerCase()}-${index}`, ...volume }, path };
  });
}
