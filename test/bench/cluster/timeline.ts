import { stateAnnotation } from '../../../src/api/annotations.ts';
import { dataVolumes } from '../../../src/api/data-volume.ts';
import { persistentVolumeClaims, pods } from '../../../src/kube/builtin-resources.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import type { KubeObject, Resource } from '../../../src/kube/resource.ts';
import { volumeSnapshotContents, volumeSnapshots } from '../../../src/kube/snapshot-resources.ts';

/** A state that an object came into. */
interface Moment {
  /** Since the timeline began. */
  readonly milliseconds: number;
  readonly object: string;
  readonly state: string;
}

/** What is written down of an object that has changed. */
interface Followed<T extends KubeObject> {
  readonly resource: Resource<T>;
  readonly isNamespaced: boolean;
  readonly stateOf: (object: T) => string;
}

const follow = <T extends KubeObject>(followed: Followed<T>): Followed<KubeObject> => followed as never;

const FOLLOWED: readonly Followed<KubeObject>[] = [
  follow({ resource: dataVolumes, isNamespaced: true, stateOf: ({ status }) => status?.phase ?? 'made' }),
  follow({
    resource: persistentVolumeClaims,
    isNamespaced: true,
    stateOf: ({ metadata, status }) =>
      [status?.phase ?? 'made', metadata?.annotations?.[stateAnnotation.podPhase]].filter(Boolean).join(', pods '),
  }),
  follow({
    resource: pods,
    isNamespaced: true,
    stateOf: ({ spec, status }) =>
      Object.keys(status?.containerStatuses?.[0]?.state ?? {})[0] ?? (spec?.nodeName ? 'scheduled' : 'made'),
  }),
  follow({
    resource: volumeSnapshots,
    isNamespaced: true,
    stateOf: ({ metadata, status }) =>
      [status?.readyToUse ? 'ready' : 'made', metadata?.ownerReferences?.length && 'kept'].filter(Boolean).join(', '),
  }),
  follow({
    resource: volumeSnapshotContents,
    isNamespaced: false,
    stateOf: ({ status }) => (status?.readyToUse ? 'ready' : status?.snapshotHandle ? 'taken' : 'made'),
  }),
];

/** Writes down when the objects of a clone come into which state, by watches, until it is stopped. */
export class Timeline {
  readonly #began = performance.now();
  readonly #moments: Moment[] = [];
  readonly #latest = new Map<string, string>();
  readonly #ending = new AbortController();
  readonly #watches: Promise<void>[];

  constructor(client: KubeClient, namespaces: readonly string[]) {
    this.#watches = FOLLOWED.flatMap((followed) =>
      (followed.isNamespaced ? namespaces : [undefined]).map((namespace) => this.#watch(client, followed, namespace)),
    );
  }

  /** @returns a line for each moment, in order */
  async stop(): Promise<string[]> {
    this.#ending.abort();
    await Promise.all(this.#watches);
    return this.#moments.map(
      ({ milliseconds, object, state }) => `  ${String(Math.round(milliseconds)).padStart(6)} ms ${object}: ${state}`,
    );
  }

  async #watch(client: KubeClient, { resource, stateOf }: Followed<KubeObject>, namespace?: string): Promise<void> {
    const { signal } = this.#ending;
    const note = (object: KubeObject, ended?: string): void => {
      const name = `${resource.kind} ${object.metadata?.name}`;
      const state = ended ?? (object.metadata?.deletionTimestamp ? 'is being deleted' : stateOf(object));
      if (this.#latest.get(name) === state) return;
      this.#latest.set(name, state);
      this.#moments.push({ milliseconds: performance.now() - this.#began, object: name, state });
    };
    try {
      let resourceVersion = '';
      for await (const page of client.pages(resource, { namespace, signal })) {
        for (const object of page.items) this.#latest.set(`${resource.kind} ${object.metadata?.name}`, stateOf(object));
        resourceVersion = page.resourceVersion;
      }
      const options = { namespace, resourceVersion, timeoutSeconds: 600, idleTimeout: 600_000, signal };
      for await (const event of client.watch(resource, options)) {
        if (event.type === 'BOOKMARK') continue;
        note(event.object, event.type === 'DELETED' ? 'gone' : undefined);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}
