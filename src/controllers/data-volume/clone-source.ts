import type { DataSource } from '../../api/data-source.ts';
import type { DataVolume } from '../../api/data-volume.ts';
import type { DataVolumeSource } from '../../api/source-fields.ts';
import { WaitingError } from '../../kube/errors.ts';
import { keyOf, keyToString } from '../../kube/key.ts';
import { resolveDataSource } from '../data-source/resolve.ts';
import { dataSourceKeyOf, inNamespace } from '../references/data-source-of.ts';
import type { Caches } from '../runtime/caches.ts';

const LOOK_AGAIN_MILLISECONDS = 5_000;

/** The source of a DataVolume's data, after its sourceRef has been followed. */
export interface ResolvedSource {
  readonly source: DataVolumeSource | undefined;
  /** The DataSources that were followed to reach the source. */
  readonly through: readonly DataSource[];
}

/**
 * Returns a DataVolume's source; for a sourceRef, the source that the DataSource refers to at this moment.
 *
 * @throws WaitingError while the DataSource does not exist, or has no source
 */
export function sourceOf(caches: Pick<Caches, 'dataSources'>, dataVolume: DataVolume): ResolvedSource {
  const key = dataSourceKeyOf(dataVolume);
  const { source } = dataVolume.spec;
  if (!key) return { source: source && inNamespace(source, keyOf(dataVolume).namespace), through: [] };
  const dataSource = caches.dataSources.get(key);
  if (!dataSource) {
    throw new WaitingError('NotFound', `DataSource ${keyToString(key)} does not exist; the clone starts when it does`, {
      after: LOOK_AGAIN_MILLISECONDS,
    });
  }
  const resolution = resolveDataSource(caches, dataSource);
  if (resolution.source) return resolution;
  throw new WaitingError(
    'CloneWithoutSource',
    `${resolution.message}; the clone starts when there is something to clone`,
    {
      after: LOOK_AGAIN_MILLISECONDS,
    },
  );
}
