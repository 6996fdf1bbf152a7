import type { DataSource, DataSourceSource } from '../../api/data-source.ts';
import { keyOf, keyToString } from '../../kube/key.ts';
import { inNamespace } from '../references/data-source-of.ts';
import type { Caches } from '../runtime/caches.ts';

/** The claim or snapshot that a DataSource refers to, or why it has none. */
export type Resolution =
  | {
      readonly source: Pick<DataSourceSource, 'pvc' | 'snapshot'>;
      /** DataSources that led to the source, starting with the resolved one. */
      readonly through: readonly DataSource[];
    }
  | { readonly source: undefined; readonly reason: string; readonly message: string };

/**
 * Returns the claim or snapshot that a DataSource refers to. It may refer to another DataSource, which then must not do
 * so itself.
 */
export function resolveDataSource(caches: Pick<Caches, 'dataSources'>, dataSource: DataSource): Resolution {
  const own = keyOf(dataSource).namespace;
  const { pvc, snapshot, dataSource: other } = inNamespace(dataSource.spec.source, own);
  if (pvc) return { source: { pvc }, through: [dataSource] };
  if (snapshot) return { source: { snapshot }, through: [dataSource] };
  const name = keyToString(keyOf(dataSource));
  if (!other) return nothing('NoSource', `DataSource ${name} names nothing to clone yet`);
  const otherName = keyToString(other);
  if (otherName === name)
    return nothing('SelfReference', `DataSource ${name} refers to itself; name a claim or snapshot`);
  const found = caches.dataSources.get(other);
  if (!found) return nothing('NotFound', `DataSource ${otherName}, which ${name} refers to, does not exist`);
  if (found.spec.source.dataSource) {
    return nothing(
      'MaxReferenceDepthReached',
      `DataSource ${otherName}, which ${name} refers to, refers to another one itself; let ${name} refer to that`,
    );
  }
  const resolution = resolveDataSource(caches, found);
  return resolution.source ? { ...resolution, through: [dataSource, ...resolution.through] } : resolution;
}

function nothing(reason: string, message: string): Resolution {
  return { source: undefined, reason, message };
}
