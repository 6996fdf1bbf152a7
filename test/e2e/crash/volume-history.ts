import {
  type PersistentVolume,
  type PersistentVolumeClaim,
  persistentVolumeClaims,
  persistentVolumes,
} from '../../../src/kube/builtin-resources.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import type { KubeObject, Resource } from '../../../src/kube/resource.ts';
import { eventually } from '../../support/eventually.ts';
import { follow } from '../../support/follow.ts';

interface Entry {
  /** Versions of all resources are in one order. */
  readonly version: number;
  readonly deleted: boolean;
  readonly object: KubeObject;
}

const resources = [persistentVolumeClaims, persistentVolumes] as Resource<KubeObject>[];

/** Everything that happened to the claims and volumes of a cluster, in the order in which it happened. */
export class VolumeHistory {
  readonly #entries: Entry[] = [];
  readonly #ending = new AbortController();
  readonly #watching: Promise<void>[] = [];

  /** Resolves once nothing escapes it. */
  async start(client: KubeClient): Promise<void> {
    for (const resource of resources) {
      const { ended } = await follow(client, resource, this.#ending.signal, (object, deleted) => {
        this.#entries.push({ version: Number(object.metadata?.resourceVersion), deleted, object });
      });
      this.#watching.push(ended);
    }
  }

  /** Resolves once it knows of all that is there now. */
  async catchUp(client: KubeClient): Promise<void> {
    for (const resource of resources) {
      const versions = (await client.list(resource)).map(({ metadata }) => Number(metadata?.resourceVersion));
      const newest = Math.max(...versions);
      await eventually(`version ${newest} of ${resource.plural} is known`, () =>
        this.#entries.some(({ version, object }) => version >= newest && object.kind === resource.kind),
      );
    }
  }

  /** @throws where something may have escaped it */
  async stop(): Promise<void> {
    this.#ending.abort();
    await Promise.all(this.#watching);
  }

  /**
   * The moments at which a volume could have been lost: the claim that it belongs to was gone, or going, and the volume
   * was not to be retained. Only volumes count that belong to one of the claims at the end.
   */
  losses(targets: ReadonlySet<string>): string[] {
    const claims = new Map<string, PersistentVolumeClaim>();
    const volumes = new Map<string, PersistentVolume>();
    const risks = new Map<string, Set<string>>();
    for (const { object, deleted } of this.#entries.sort((one, other) => one.version - other.version)) {
      if (object.kind === 'PersistentVolumeClaim') {
        if (deleted) claims.delete(object.metadata?.uid ?? '');
        else claims.set(object.metadata?.uid ?? '', object);
      } else if (deleted) volumes.delete(object.metadata?.name ?? '');
      else volumes.set(object.metadata?.name ?? '', object);
      for (const [name, volume] of volumes) {
        const claim = claims.get(volume.spec?.claimRef?.uid ?? '');
        const unclaimed = !claim || claim.metadata?.deletionTimestamp !== undefined;
        if (!unclaimed || volume.spec?.persistentVolumeReclaimPolicy === 'Retain') continue;
        const seen = risks.get(name) ?? new Set();
        seen.add(`${name} of claim ${volume.spec?.claimRef?.name} at version ${object.metadata?.resourceVersion}`);
        risks.set(name, seen);
      }
    }
    const own = [...volumes.values()].filter((volume) => targets.has(volume.spec?.claimRef?.uid ?? ''));
    return own.flatMap((volume) => [...(risks.get(volume.metadata?.name ?? '') ?? [])]);
  }
}
