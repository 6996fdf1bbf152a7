import {
  persistentVolumeClaims,
  persistentVolumes,
  type PersistentVolume,
  type PersistentVolumeClaim,
} from '../../../src/kube/builtin-resources.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import type { KubeObject, Resource } from '../../../src/kube/resource.ts';

interface Entry {
  /** Versions of all resources are in one order. */
  readonly version: number;
  readonly deleted: boolean;
  readonly object: KubeObject;
}

/** Everything that happened to the claims and volumes of a cluster, in the order in which it happened. */
export class VolumeHistory {
  readonly #entries: Entry[] = [];
  readonly #ending = new AbortController();
  readonly #watching: Promise<void>[] = [];

  /** Resolves once nothing escapes it. */
  async start(client: KubeClient): Promise<void> {
    for (const resource of [persistentVolumeClaims, persistentVolumes] as Resource<KubeObject>[]) {
      let version = '';
      for await (const page of client.pages(resource)) {
        page.items.forEach((object) => this.#note(object, false));
        version = page.resourceVersion;
      }
      this.#watching.push(this.#follow(client, resource, version));
    }
  }

  async stop(): Promise<void> {
    this.#ending.abort();
    await Promise.allSettled(this.#watching);
  }

  /**
   * The moments at which a volume could have been lost: the claim that it belongs to was gone, or going, and the volume was not
   * to be retained. Only volumes count that belong to one of the claims at the end.
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

  async #follow(client: KubeClient, resource: Resource<KubeObject>, resourceVersion: string): Promise<void> {
    const { signal } = this.#ending;
    const options = { resourceVersion, timeoutSeconds: 3600, idleTimeout: 3_600_000, signal };
    for await (const { type, object } of client.watch(resource, options)) {
      if (type !== 'BOOKMARK') this.#note(object, type === 'DELETED');
    }
  }

  #note(object: KubeObject, deleted: boolean): void {
    this.#entries.push({ version: Number(object.metadata?.resourceVersion), deleted, object });
  }
}
