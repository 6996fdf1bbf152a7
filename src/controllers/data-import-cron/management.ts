import type { DataImportCron } from '../../api/data-import-cron.ts';
import type { DataSource } from '../../api/data-source.ts';
import { DATA_IMPORT_CRON_LABEL } from '../../api/labels.ts';
import { isBeingDeleted } from '../../kube/finalizers.ts';
import { defineIndex } from '../../kube/object-index.ts';
import type { Caches } from '../runtime/caches.ts';

/** Index of DataImportCrons by `namespace/name` of the DataSource that they name. */
export const byManagedDataSource = defineIndex<DataImportCron>(({ metadata, spec }) => [
  `${metadata.namespace}/${spec.managedDataSource}`,
]);

/** Whose a DataSource is: this DataImportCron's, nobody's, or another one's. */
export type Management =
  | { readonly by: 'this'; readonly dataSource: DataSource | undefined }
  | { readonly by: 'nobody'; readonly dataSource: DataSource }
  | { readonly by: 'another'; readonly cron: string };

/**
 * Determines who manages the DataSource that a DataImportCron names. One without the label is its author's; one of a
 * DataImportCron that is gone, or that manages another one by now, is taken over.
 */
export function managementOf(
  caches: Pick<Caches, 'dataSources' | 'dataImportCrons'>,
  { metadata, spec }: DataImportCron,
): Management {
  const { namespace = '' } = metadata;
  const dataSource = caches.dataSources.get({ namespace, name: spec.managedDataSource });
  if (!dataSource) return { by: 'this', dataSource };
  const name = dataSource.metadata.labels?.[DATA_IMPORT_CRON_LABEL];
  if (!name) return { by: 'nobody', dataSource };
  const other = name === metadata.name ? undefined : caches.dataImportCrons.get({ namespace, name });
  const isManaged = other && !isBeingDeleted(other) && other.spec.managedDataSource === spec.managedDataSource;
  return isManaged ? { by: 'another', cron: name } : { by: 'this', dataSource };
}
