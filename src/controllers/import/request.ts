import { populationAnnotation as names, stateAnnotation } from '../../api/annotations.ts';
import {
  CERTIFICATES_DIRECTORY,
  CREDENTIALS_DIRECTORY,
  SECRET_HEADERS_DIRECTORY,
  type ImportRequest,
  type TransferTarget,
} from '../../api/transfer-pod.ts';
import type { PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import type { PodVolume } from '../transfer-pod.ts';
import { TerminalError } from '../../kube/errors.ts';

/** The objects beside the claim that an import needs, by name in the claim's namespace. */
export interface ImportDependencies {
  readonly secrets: readonly { readonly name: string; readonly keys: readonly string[]; readonly path: string }[];
  readonly configMaps: readonly { readonly name: string; readonly path: string }[];
}

/** Whether the claim asks, by its annotations, for an import into it. */
export function isImportClaim(claim: PersistentVolumeClaim): boolean {
  const annotations = claim.metadata?.annotations ?? {};
  return annotations[names.importEndpoint] !== undefined || annotations[names.importSource] !== undefined;
}

/**
 * Reads an import's source from the claim's annotations.
 *
 * @throws TerminalError where the source is not one that the importer knows
 */
export function importSourceOf(
  claim: PersistentVolumeClaim,
  insecureRegistries: readonly string[],
): ImportRequest['source'] {
  const annotations = claim.metadata?.annotations ?? {};
  const url = annotations[names.importEndpoint] ?? '';
  const source = annotations[names.importSource] ?? 'http';
  switch (source) {
    case 'http':
      return {
        type: 'http',
        url,
        extraHeaders: numbered(annotations, names.importExtraHeadersPrefix),
        ...(annotations[names.importChecksum] ? { checksum: annotations[names.importChecksum] } : {}),
        insecureSkipVerify: annotations[names.importInsecureSkipVerify] === 'true',
      };
    case 'registry':
      if (annotations[names.importRegistryImageStream]) {
        throw new TerminalError(
          'UnsupportedSource',
          'Importing from an ImageStream is not supported by this version; give the registry url of the image',
        );
      }
      return {
        type: 'registry',
        url,
        insecureRegistry: insecureRegistries.includes(registryHost(url)),
        ...(annotations[names.importRegistryImageArchitecture]
          ? { architecture: annotations[names.importRegistryImageArchitecture] }
          : {}),
      };
    case 'none':
      return { type: 'blank' };
    default:
      throw new TerminalError(
        'UnsupportedSource',
        `Importing from ${source} is not supported by this version; use http, registry or blank`,
      );
  }
}

/** What an import needs to find mounted, from the claim's annotations. */
export function importDependenciesOf(claim: PersistentVolumeClaim): ImportDependencies {
  const annotations = claim.metadata?.annotations ?? {};
  const secretName = annotations[names.importSecretName];
  const configMapName = annotations[names.importCertConfigMap];
  return {
    secrets: [
      ...(secretName ? [{ name: secretName, keys: ['accessKeyId', 'secretKey'], path: CREDENTIALS_DIRECTORY }] : []),
      ...numbered(annotations, names.importSecretExtraHeadersPrefix).map((name, index) => ({
        name,
        keys: [],
        path: `${SECRET_HEADERS_DIRECTORY}/${index}`,
      })),
    ],
    configMaps: configMapName ? [{ name: configMapName, path: CERTIFICATES_DIRECTORY }] : [],
  };
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

/** The whole request of an importer pod. */
export function importRequestOf(
  claim: PersistentVolumeClaim,
  target: TransferTarget,
  insecureRegistries: readonly string[],
): ImportRequest {
  return {
    source: importSourceOf(claim, insecureRegistries),
    target,
    scratch: claim.metadata?.annotations?.[stateAnnotation.requiresScratch] === 'true',
  };
}

/** Host and port of a registry URL: `registry.example:5000` of `docker://registry.example:5000/org/disk`. */
export function registryHost(url: string): string {
  const path = url.replace(/^docker:\/\//, '');
  return path.slice(0, path.includes('/') ? path.indexOf('/') : path.length);
}

/** The values of annotations `prefix.0`, `prefix.1`, …, in the order of their numbers. */
function numbered(annotations: Readonly<Record<string, string>>, prefix: string): string[] {
  return Object.entries(annotations)
    .flatMap(([name, value]) => {
      const number = name.startsWith(`${prefix}.`) ? Number(name.slice(prefix.length + 1)) : NaN;
      return Number.isInteger(number) ? [{ number, value }] : [];
    })
    .sort((a, b) => a.number - b.number)
    .map(({ value }) => value);
}
