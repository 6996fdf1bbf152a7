import { populationAnnotation as names } from '../../../api/annotations.ts';
import type { ImportSource } from '../../../api/sources.ts';

/** What besides its source shapes a claim's population. */
export interface PopulationOptions {
  readonly contentType: 'kubevirt' | 'archive';
  readonly preallocation: boolean;
}

/** The annotations by which a claim asks for an import into it. */
export function importAnnotations(source: ImportSource, options: PopulationOptions): Record<string, string> {
  return {
    ...sourceAnnotations(source),
    [names.contentType]: options.contentType,
    ...(options.preallocation ? { [names.preallocationRequested]: 'true' } : {}),
  };
}

function sourceAnnotations(source: ImportSource): Record<string, string> {
  if (source.http) {
    const { url, secretRef, certConfigMap, extraHeaders, secretExtraHeaders, checksum, insecureSkipVerify } =
      source.http;
    return present({
      [names.importSource]: 'http',
      [names.importEndpoint]: url,
      [names.importSecretName]: secretRef,
      [names.importCertConfigMap]: certConfigMap,
      [names.importChecksum]: checksum,
      [names.importInsecureSkipVerify]: insecureSkipVerify ? 'true' : undefined,
      ...numberedAnnotations(names.importExtraHeadersPrefix, extraHeaders),
      ...numberedAnnotations(names.importSecretExtraHeadersPrefix, secretExtraHeaders),
    });
  }
  if (source.registry) {
    const { url, imageStream, pullMethod, secretRef, certConfigMap, platform } = source.registry;
    return present({
      [names.importSource]: 'registry',
      [names.importEndpoint]: url ?? '',
      [names.importRegistryImageStream]: imageStream,
      [names.importRegistryImportMethod]: pullMethod,
      [names.importSecretName]: secretRef,
      [names.importCertConfigMap]: certConfigMap,
      [names.importRegistryImageArchitecture]: platform?.architecture,
    });
  }
  if (source.s3) {
    const { url, secretRef, certConfigMap } = source.s3;
    return present({
      [names.importSource]: 's3',
      [names.importEndpoint]: url,
      [names.importSecretName]: secretRef,
      [names.importCertConfigMap]: certConfigMap,
    });
  }
  if (source.gcs) {
    const { url, secretRef } = source.gcs;
    return present({
      [names.importSource]: 'gcs',
      [names.importEndpoint]: url,
      [names.importSecretName]: secretRef,
    });
  }
  if (source.imageio) {
    const { url, diskId, secretRef, certConfigMap, insecureSkipVerify } = source.imageio;
    return present({
      [names.importSource]: 'imageio',
      [names.importEndpoint]: url,
      [names.importDiskId]: diskId,
      [names.importSecretName]: secretRef,
      [names.importCertConfigMap]: certConfigMap,
      [names.importInsecureSkipVerify]: insecureSkipVerify ? 'true' : undefined,
    });
  }
  if (source.vddk) {
    const { url, secretRef } = source.vddk;
    return present({
      [names.importSource]: 'vddk',
      [names.importEndpoint]: url ?? '',
      [names.importSecretName]: secretRef,
    });
  }
  return { [names.importSource]: 'none' };
}

function present(annotations: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(annotations).filter((entry): entry is [string, string] => Boolean(entry[1]) || entry[1] === ''),
  );
}

function numberedAnnotations(prefix: string, values: readonly string[] | undefined): Record<string, string> {
  return Object.fromEntries((values ?? []).map((value, index) => [`${prefix}.${index}`, value]));
}

/** Whether the node's container runtime is to pull the image, and not the importer. */
export function isPulledByNode(annotations: Readonly<Record<string, string>>): boolean {
  return annotations[names.importSource] === 'registry' && annotations[names.importRegistryImportMethod] === 'node';
}

/** The values of annotations `prefix.0`, `prefix.1`, …, in the order of their numbers. */
export function numbered(annotations: Readonly<Record<string, string>>, prefix: string): string[] {
  return Object.entries(annotations)
    .flatMap(([name, value]) => {
      const number = name.startsWith(`${prefix}.`) ? Number(name.slice(prefix.length + 1)) : NaN;
      return Number.isInteger(number) ? [{ number, value }] : [];
    })
    .sort((a, b) => a.number - b.number)
    .map(({ value }) => value);
}
