import type { DataSource, DataSourceSource } from '../../api/data-source.ts';
import { keyOf, keyToString } from '../../kube/key.ts';
import type { Caches } from '../runtime/caches.ts';
import { inNamespace } from '../references/data-source-of.ts';

/** What a DataSource stands for, or why it stands for nothing. */
export type Resolution =
  | {
      readonly source: Pick<DataSourceSource, 'pvc' | 'snapshot'>;
      /** The DataSources that led there, this one first. */
      readonly through: readonly DataSource[];
    }
  | { readonly source: undefined; readonly reason: string; readonly message: string };

/** The claim or snapshot that a DataSource stands for. It may name another DataSource, which then must not. */
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
