import { type DataImportCron, dataImportCrons } from '../api/data-import-cron.ts';
import { type DataSource, dataSources } from '../api/data-source.ts';
import { type DataVolume, dataVolumes } from '../api/data-volume.ts';
import { type PersistentVolumeClaim, persistentVolumeClaims } from '../kube/builtin-resources.ts';
import type { Informer, InformerOptions } from '../kube/informer.ts';
import { keyOf, type ObjectKey } from '../kube/key.ts';
import type { KubeObject, Resource } from '../kube/resource.ts';
import { pruneClaim, pruneDataImportCron, pruneDataSource, pruneDataVolume } from './prune.ts';
import { claimRow } from './rows/claim-row.ts';
import { dataVolumeRow } from './rows/data-volume-row.ts';
import { dataImportCronRow, dataSourceRow } from './rows/image-row.ts';
import type { Row, Watched } from './rows/row.ts';

/** The resource of each that is watched. */
export const watchedResources = {
  datavolumes: dataVolumes,
  persistentvolumeclaims: persistentVolumeClaims,
  dataimportcrons: dataImportCrons,
  datasources: dataSources,
} as const satisfies Readonly<Record<Watched, Resource<KubeObject>>>;

/** Makes the cache of a resource. */
export type CacheOf = <T extends KubeObject>(resource: Resource<T>, options: InformerOptions<T>) => Informer<T>;

/** The rows of everything that is watched, kept up to date. */
export class Board {
  readonly #rows = new Map<string, Row>();
  /** How many rows there are in each namespace. */
  readonly #namespaces = new Map<string, number>();
  readonly #listeners: (() => void)[] = [];
  readonly #dataVolumes: Informer<DataVolume> | undefined;
  readonly #claims: Informer<PersistentVolumeClaim> | undefined;
  #version = 0;

  /**
   * @param cacheOf makes the caches, and starts them
   * @param watched what is watched
   */
  constructor(cacheOf: CacheOf, watched: ReadonlySet<Watched>) {
    const mayBeAbsent = true;
    if (watched.has('datavolumes')) {
      this.#dataVolumes = cacheOf(dataVolumes, { prune: pruneDataVolume, mayBeAbsent });
      this.#dataVolumes.onChange(({ object }) => this.#lookAt(keyOf(object)));
    }
    if (watched.has('persistentvolumeclaims')) {
      this.#claims = cacheOf(persistentVolumeClaims, { prune: pruneClaim });
      this.#claims.onChange(({ object }) => this.#lookAt(keyOf(object)));
    }
    if (watched.has('dataimportcrons')) {
      this.#follow(cacheOf(dataImportCrons, { prune: pruneDataImportCron, mayBeAbsent }), dataImportCronRow);
    }
    if (watched.has('datasources')) {
      this.#follow(cacheOf(dataSources, { prune: pruneDataSource, mayBeAbsent }), dataSourceRow);
    }
  }

  /** Grows whenever a row changes. */
  get version(): number {
    return this.#version;
  }

  rows(): Row[] {
    return [...this.#rows.values()];
  }

  /** The namespaces that have any row. */
  namespaces(): string[] {
    return [...this.#namespaces.keys()];
  }

  /** Calls the listener for every change from now on, of which there may be thousands at once. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  #follow<T extends DataImportCron | DataSource>(informer: Informer<T>, rowOf: (object: T) => Row): void {
    informer.onChange(({ type, object }) => {
      const row = rowOf(object);
      this.#set(row.id, type === 'deleted' ? undefined : row);
    });
  }

  /** Looks at the DataVolume and the claim of a name: each says something of the other. */
  #lookAt(key: ObjectKey): void {
    const { namespace, name } = key;
    const dataVolume = this.#dataVolumes?.get(key);
    const claim = this.#claims?.get(key);
    this.#set(`datavolumes/${namespace}/${name}`, dataVolume && dataVolumeRow(dataVolume, claim));
    this.#set(`persistentvolumeclaims/${namespace}/${name}`, claim && claimRow(claim));
  }

  #set(id: string, row: Row | undefined): void {
    const before = this.#rows.get(id);
    if (!row && !before) return;
    if (row) this.#rows.set(id, row);
    else this.#rows.delete(id);
    if (!before && row) this.#namespaces.set(row.namespace, (this.#namespaces.get(row.namespace) ?? 0) + 1);
    if (before && !row) this.#forget(before.namespace);
    this.#version += 1;
    for (const listener of this.#listeners) listener();
  }

  /** Counts a row less in a namespace. */
  #forget(namespace: string): void {
    const rest = (this.#namespaces.get(namespace) ?? 0) - 1;
    if (rest > 0) this.#namespaces.set(namespace, rest);
    else this.#namespaces.delete(namespace);
  }
}
