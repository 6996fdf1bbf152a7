import { populationAnnotation as names, stateAnnotation, userAnnotation } from '../../../api/annotations.ts';
import type { ImportRequest, TransferTarget } from '../../../protocol/transfer-pod.ts';
import { importCheckpointAnnotation } from '../../objects/internal-annotations.ts';
import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import { TerminalError } from '../../../kube/errors.ts';
import type { ConfigView } from '../../runtime/config-view.ts';
import { isPulledByNode, numbered } from './annotations.ts';
import { importDependenciesOf } from './dependencies.ts';

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
      if (isPulledByNode(annotations)) return { type: 'pulled-image', image: pulledImage(url) };
      return {
        type: 'registry',
        url,
        insecureRegistry: insecureRegistries.includes(registryHost(url)),
        ...(annotations[names.importRegistryImageArchitecture]
          ? { architecture: annotations[names.importRegistryImageArchitecture] }
          : {}),
      };
    case 's3':
    case 'gcs':
      return { type: source, url };
    case 'none':
      return { type: 'blank' };
    default:
      throw new TerminalError(
        'UnsupportedSource',
        `Importing from ${source} is not supported by this version; use http, s3, gcs, registry or blank`,
      );
  }
}

function pulledImage(url: string): string {
  if (url.startsWith('docker://')) return url.slice('docker://'.length);
  throw new TerminalError('UnsupportedSource', 'pullMethod node takes images of a registry: give a docker:// url');
}

function statedFormat(format: string | undefined): Pick<ImportRequest, 'format'> {
  if (!format) return {};
  if (format === 'raw') return { format };
  throw new TerminalError(
    'UnsupportedFormat',
    `The annotation ${userAnnotation.importFormat} is "${format}"; raw is all that it can say: other formats are known by their content`,
  );
}

/**
 * The whole request of an importer pod.
 *
 * @throws TerminalError where it asks for what the importer does not know
 */
export function importRequestOf(
  claim: PersistentVolumeClaim,
  target: TransferTarget,
  config: Pick<ConfigView, 'insecureRegistries' | 'hasFeatureGate'>,
): ImportRequest {
  const annotations = claim.metadata?.annotations ?? {};
  const checkpoint = annotations[importCheckpointAnnotation];
  return {
    source: importSourceOf(claim, config.insecureRegistries),
    target,
    dependencies: importDependenciesOf(claim),
    followsInternalRedirects: config.hasFeatureGate('ImportFollowsInternalRedirects'),
    scratch: annotations[stateAnnotation.requiresScratch] === 'true',
    ...statedFormat(annotations[userAnnotation.importFormat]),
    ...(checkpoint ? { checkpoint } : {}),
  };
}

/** Host and port of a registry URL: `registry.example:5000` of `docker://registry.example:5000/org/disk`. */
export function registryHost(url: string): string {
  const path = url.replace(/^docker:\/\//, '');
  return path.slice(0, path.includes('/') ? path.indexOf('/') : path.length);
}
