import {
  type PersistentVolume,
  persistentVolumeClaims,
  persistentVolumes,
} from '../../../../src/kube/builtin-resources.ts';
import type { ObjectKey } from '../../../../src/kube/key.ts';
import { volumeSnapshotContents, volumeSnapshots } from '../../../../src/kube/snapshot-resources.ts';
import type { SimulatedApi } from './api.ts';

/**
 * Where the bytes on each volume and in each snapshot come from, by the names of claims that were written by people.
 */
export class Data {
  readonly #api: SimulatedApi;
  readonly #origins = new Map<string, ReadonlySet<string>>();

  constructor(api: SimulatedApi) {
    this.#api = api;
  }

  /** @param holder name of a PersistentVolume or VolumeSnapshotContent */
  of(holder: string | undefined): readonly string[] {
    return [...(this.#origins.get(holder ?? '') ?? [])];
  }

  put(holder: string | undefined, origins: readonly string[]): void {
    this.#origins.set(holder ?? '', new Set([...this.of(holder), ...origins]));
  }

  /** What a driver fills a new volume with; undefined where it cannot, because the object is not what it says. */
  ofSource(key: ObjectKey, kind: string): readonly string[] | undefined {
    if (kind === 'PersistentVolumeClaim') {
      const volume = this.volumeOf(key);
      return volume && this.of(volume.metadata?.name);
    }
    const snapshot = this.#api.find(volumeSnapshots, key);
    const name = snapshot?.status?.boundVolumeSnapshotContentName ?? '';
    const content = this.#api.find(volumeSnapshotContents, { namespace: '', name });
    return content?.spec.volumeSnapshotRef.uid === snapshot?.metadata?.uid ? this.of(name) : undefined;
  }

  /** The volume that is a claim's own. */
  volumeOf(key: ObjectKey): PersistentVolume | undefined {
    const claim = this.#api.find(persistentVolumeClaims, key);
    const volume = this.#api.find(persistentVolumes, { namespace: '', name: claim?.spec?.volumeName ?? '' });
    return claim && volume?.spec?.claimRef?.uid === claim.metadata?.uid ? volume : undefined;
  }
}
