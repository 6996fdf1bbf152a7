import { dataImportCronAnnotation } from '../../api/annotations.ts';
import type { DataImportCron } from '../../api/data-import-cron.ts';
import type { DataSource } from '../../api/data-source.ts';
import { isDigest, shortDigest } from '../../api/image-digest.ts';
import { formatAge } from '../../base/format-age.ts';
import { keyOf, keyToString } from '../../kube/key.ts';

/** A golden image, as shown to people. */
export interface ImageRow {
  readonly namespace: string;
  /** Name of the DataImportCron. */
  readonly name: string;
  /** Where the image is from. */
  readonly image: string;
  /** The version to have, as far as the name of the imported image has it. */
  readonly digest: string;
  /** How long ago the image in place was imported. */
  readonly age: string;
  /** In what time a newer one is looked for. */
  readonly next: string;
  /** `snapshot` or `pvc`. */
  readonly format: string;
  /** `True` where the DataSource can be cloned. */
  readonly ready: string;
  /** Why the newest image is not in place, or not known. */
  readonly detail: string;
}

/**
 * Returns the golden images, by name. Pure.
 *
 * @param now milliseconds since the epoch
 */
export function imageRows(
  crons: readonly DataImportCron[],
  dataSources: readonly DataSource[],
  now: number,
): ImageRow[] {
  const sources = new Map(dataSources.map((source) => [keyToString(keyOf(source)), source]));
  return crons
    .map((cron) => rowOf(cron, sources.get(`${cron.metadata.namespace}/${cron.spec.managedDataSource}`), now))
    .sort((a, b) => a.namespace.localeCompare(b.namespace) || a.name.localeCompare(b.name));
}

function rowOf(cron: DataImportCron, dataSource: DataSource | undefined, now: number): ImageRow {
  const { metadata, spec, status } = cron;
  const digest = metadata.annotations?.[dataImportCronAnnotation.desiredDigest];
  const imported = Date.parse(status?.lastImportTimestamp ?? '');
  const next = Date.parse(metadata.annotations?.[dataImportCronAnnotation.nextCronTime] ?? '');
  const upToDate = status?.conditions?.find(({ type }) => type === 'UpToDate');
  const isWell = upToDate === undefined || upToDate.reason === 'UpToDate';
  return {
    ...keyOf(cron),
    image: placeOf(spec),
    digest: isDigest(digest) ? shortDigest(digest) : '',
    age: Number.isNaN(imported) ? '' : formatAge(now - imported),
    next: Number.isNaN(next) ? '' : formatAge(next - now),
    format: status?.sourceFormat ?? '',
    ready: dataSource?.status?.conditions?.find(({ type }) => type === 'Ready')?.status ?? '',
    detail: isWell ? '' : `${upToDate.reason}: ${upToDate.message}`,
  };
}

function placeOf({ template }: DataImportCron['spec']): string {
  const { registry, http, s3, gcs, pvc } = template.spec.source ?? {};
  if (pvc) return pvc.namespace ? `${pvc.namespace}/${pvc.name}` : pvc.name;
  return withoutLogin((registry ?? http ?? s3 ?? gcs)?.url ?? registry?.imageStream ?? '');
}

/** A login in a URL is for nobody to see. */
function withoutLogin(url: string): string {
  return url.replace(/^([a-z0-9+-]+:\/\/)[^/@]*@/, '$1');
}
