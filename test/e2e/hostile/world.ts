import { dataVolumes } from '../../../src/api/data-volume.ts';
import { volumeCloneSources } from '../../../src/api/volume-clone-source.ts';
import {
  configMaps,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  secrets,
  services,
} from '../../../src/kube/builtin-resources.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import type { ObjectKey } from '../../../src/kube/key.ts';
import type { KubeObject, Resource } from '../../../src/kube/resource.ts';
import { volumeSnapshots } from '../../../src/kube/snapshot-resources.ts';
import type { RandomChoice } from '../../support/random-choice.ts';
import type { StorageClasses } from '../../support/storage-classes.ts';

/** What the hostile tenant makes, changes and deletes. */
export const ownResources = [
  dataVolumes,
  persistentVolumeClaims,
  volumeCloneSources,
  volumeSnapshots,
  pods,
  services,
  secrets,
  configMaps,
] as readonly Resource<KubeObject>[];

/** What a hostile tenant knows and may use. */
export interface HostileWorld {
  readonly client: KubeClient;
  readonly random: RandomChoice;
  /** Its own namespace, in which it may do everything. */
  readonly namespace: string;
  /** Its own claim with data. */
  readonly own: ObjectKey;
  /** Others' claims that it is after. */
  readonly wanted: readonly ObjectKey[];
  readonly classes: StorageClasses;
  readonly image: string;
  readonly known: Known;
}

/** Names and uids that anybody may come to know, from node paths, events and messages. */
export class Known {
  #uids: readonly string[] = [];
  #volumes: readonly string[] = [];

  get uids(): readonly string[] {
    return this.#uids;
  }

  get volumes(): readonly string[] {
    return this.#volumes;
  }

  /** Learns what there is now. */
  async learn(admin: KubeClient, namespaces: readonly string[]): Promise<void> {
    const claims = await Promise.all(namespaces.map((namespace) => admin.list(persistentVolumeClaims, { namespace })));
    const volumes = await admin.list(persistentVolumes);
    this.#uids = claims.flat().map(({ metadata }) => metadata?.uid ?? '');
    this.#volumes = volumes
      .filter(({ spec }) => namespaces.includes(spec?.claimRef?.namespace ?? ''))
      .map(({ metadata }) => metadata?.name ?? '');
  }
}

/** One of few names, so that objects meet. */
export function anyName({ random }: HostileWorld): string {
  return `object-${random.below(8)}`;
}

/** One of the tenant's own objects of a kind, as it is now; undefined where it has none. */
export async function anyOwn<T extends KubeObject>(
  { client, namespace, random }: HostileWorld,
  resource: Resource<T>,
): Promise<T | undefined> {
  const found = await client.list(resource, { namespace });
  return found.length === 0 ? undefined : random.of(found);
}
