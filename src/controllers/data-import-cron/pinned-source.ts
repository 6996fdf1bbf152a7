import { dataImportCronAnnotation } from '../../api/annotations.ts';
import type { DataImportCron } from '../../api/data-import-cron.ts';
import type { DataVolumeSource } from '../../api/source-fields.ts';

const SCHEME = 'docker://';

/**
 * Returns the source of an import of one version. An image of a registry is named by its digest, so that nothing else
 * is imported where its tag moves on meanwhile. Other sources have but one version.
 */
export function pinnedSource(
  { metadata, spec }: Pick<DataImportCron, 'metadata' | 'spec'>,
  digest: string,
): DataVolumeSource {
  const source = structuredClone(spec.template.spec.source ?? {});
  if (source.pvc)
    return { ...source, pvc: { ...source.pvc, namespace: source.pvc.namespace || (metadata.namespace ?? '') } };
  const { registry } = source;
  if (!registry) return source;
  const { imageStream, ...rest } = registry;
  if (imageStream === undefined) return { registry: { ...rest, url: withDigest(registry.url ?? '', digest) } };
  const reference = metadata.annotations?.[dataImportCronAnnotation.imageStreamDockerReference] ?? '';
  return { registry: { ...rest, url: `${SCHEME}${reference}` } };
}

/** Reports whether a source cannot be asked for the version that was found, so that the import may get a newer one. */
export function isUnpinned({ http, s3, gcs }: DataVolumeSource): boolean {
  return http !== undefined || s3 !== undefined || gcs !== undefined;
}

function withDigest(url: string, digest: string): string {
  if (!url.startsWith(SCHEME) || url.includes('@')) return url;
  const start = url.lastIndexOf('/') + 1;
  const tag = url.indexOf(':', start);
  // In docker://host:port, which has no repository, there is no tag.
  const untagged = tag < 0 || start === SCHEME.length ? url : url.slice(0, tag);
  return `${untagged}@${digest}`;
}
