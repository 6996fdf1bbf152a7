import { type DataSource, dataSources } from '../../../../src/api/data-source.ts';
import { dataVolumes } from '../../../../src/api/data-volume.ts';
import { persistentVolumeClaims } from '../../../../src/kube/builtin-resources.ts';
import { keyOf, keyToString } from '../../../../src/kube/key.ts';
import type { KubeObject } from '../../../../src/kube/resource.ts';
import { volumeSnapshots } from '../../../../src/kube/snapshot-resources.ts';
import type { SimulatedApi, Write } from '../world/api.ts';
import { SOURCE } from './rig.ts';

/**
 * Watches that a DataSource is never made to stand for an image that is not complete, and that the controllers delete
 * no image that it stands for.
 */
export class Goodness {
  readonly breaches: string[] = [];
  readonly #api: SimulatedApi;
  /** Images that have been complete, by kind and key. */
  readonly #complete = new Set<string>();

  constructor(api: SimulatedApi) {
    this.#api = api;
    api.onWrite((write) => this.#look(write));
  }

  #look({ user, resource, before, after }: Write): void {
    const object = after ?? before;
    if (!object) return;
    if (this.#isComplete(object)) this.#complete.add(idOf(object));
    const isBefore = before && !before.metadata?.deletionTimestamp;
    if (user !== 'controllers') return;
    if (resource.kind === 'DataSource' && after)
      this.#lookAtDataSource(before as DataSource | undefined, after as DataSource);
    if (isBefore && (!after || after.metadata?.deletionTimestamp)) this.#lookAtDeletion(before);
  }

  #lookAtDataSource(before: DataSource | undefined, after: DataSource): void {
    const named = namedBy(after);
    if (named === undefined || (before && namedBy(before) === named)) return;
    if (!this.#complete.has(named))
      this.breaches.push(`the DataSource is made to stand for ${named}, which is not complete`);
  }

  #lookAtDeletion(object: KubeObject): void {
    const dataSource = this.#api.find(dataSources, SOURCE);
    const key = keyOf(object);
    const ids = object.kind === 'DataVolume' ? [`PersistentVolumeClaim ${keyToString(key)}`] : [idOf(object)];
    const claim = this.#api.find(persistentVolumeClaims, key);
    const isGood = object.kind === 'VolumeSnapshot' || (claim && this.#isComplete(claim));
    const named = dataSource && namedBy(dataSource);
    if (isGood && named && ids.includes(named))
      this.breaches.push(`${named} is deleted, which the DataSource stands for`);
  }

  #isComplete(object: KubeObject): boolean {
    if (object.kind === 'VolumeSnapshot')
      return this.#api.find(volumeSnapshots, keyOf(object))?.status?.readyToUse ?? false;
    if (!['PersistentVolumeClaim', 'DataVolume'].includes(object.kind ?? '')) return false;
    const isBound = this.#api.find(persistentVolumeClaims, keyOf(object))?.status?.phase === 'Bound';
    return isBound && this.#api.find(dataVolumes, keyOf(object))?.status?.phase === 'Succeeded';
  }
}

function idOf(object: KubeObject): string {
  const kind = object.kind === 'DataVolume' ? 'PersistentVolumeClaim' : object.kind;
  return `${kind} ${keyToString(keyOf(object))}`;
}

function namedBy({ spec }: DataSource): string | undefined {
  const { pvc, snapshot } = spec.source;
  if (pvc) return `PersistentVolumeClaim ${keyToString(pvc)}`;
  return snapshot && `VolumeSnapshot ${keyToString(snapshot)}`;
}
