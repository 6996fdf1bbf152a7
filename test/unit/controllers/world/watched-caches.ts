import { cachedResources, type Caches } from '../../../../src/controllers/runtime/caches.ts';
import type { KubeClient, WatchOptions } from '../../../../src/kube/client.ts';
import { Informer } from '../../../../src/kube/informer.ts';
import { type KubeObject, type Resource, resourceName } from '../../../../src/kube/resource.ts';
import type { WatchEvent } from '../../../../src/kube/watch-stream.ts';
import { Metrics } from '../../../../src/server/metrics.ts';
import { silentLogger } from '../../../support/logger.ts';
import type { SimulatedApi } from './api.ts';

type Event = WatchEvent<KubeObject>;

/** What a watch has not brought yet. */
class Feed {
  readonly #late: Event[] = [];
  readonly #delivered: Event[] = [];
  #more = Promise.withResolvers<void>();
  #read = Promise.withResolvers<void>();

  add(event: Event): void {
    this.#late.push(event);
  }

  get isLate(): boolean {
    return this.#late.length > 0;
  }

  /** Resolves when the informer has taken everything so far. */
  async deliver(): Promise<void> {
    this.#delivered.push(...this.#late.splice(0));
    this.#read = Promise.withResolvers();
    this.#more.resolve();
    await this.#read.promise;
  }

  async *events({ isKnown, onOpen }: WatchOptions): AsyncGenerator<Event> {
    onOpen?.();
    for (;;) {
      const events = this.#delivered.splice(0);
      for (const event of events) {
        const version = event.object.metadata?.resourceVersion ?? '';
        const isOwn = event.type !== 'DELETED' && isKnown?.(version);
        yield isOwn ? { type: 'BOOKMARK', object: { metadata: { resourceVersion: version } } } : event;
      }
      if (events.length > 0) continue;
      this.#read.resolve();
      await this.#more.promise;
      this.#more = Promise.withResolvers();
    }
  }
}

/** The controllers' caches as they are, informers that wake controllers, over watches that are as late as is wanted. */
export class WatchedCaches {
  readonly caches: Caches;
  readonly #feeds = new Map<string, Feed>();
  readonly #informers: readonly Informer<KubeObject>[];
  #version = 0;

  /** @param api to which nothing has been written yet */
  constructor(api: SimulatedApi) {
    // Of all kinds of objects at once, each of them is no more than an object.
    const resources = cachedResources as unknown as Readonly<
      Record<string, { resource: Resource<KubeObject>; options?: { prune?: (object: KubeObject) => KubeObject } }>
    >;
    const entries = Object.entries(resources).map(([name, { resource, options }]) => {
      this.#feeds.set(resourceName(resource), new Feed());
      const client = {
        pages: async function* () {
          yield { items: structuredClone(api.list(resource)), resourceVersion: '0' };
        },
        watch: (of: Resource<KubeObject>, watch: WatchOptions) => this.#feeds.get(resourceName(of))!.events(watch),
      } as unknown as KubeClient;
      const { prune } = options ?? {};
      const informer = new Informer<KubeObject>(client, resource, {
        ...(prune && { prune }),
        logger: silentLogger(),
        metrics: new Metrics(),
      });
      return [name, informer] as const;
    });
    this.#informers = entries.map(([, informer]) => informer);
    this.caches = Object.fromEntries(entries) as unknown as Caches;
    api.onWrite(({ user, resource, before, after }) => {
      this.#version += 1;
      const feed = this.#feeds.get(resourceName(resource));
      if (!feed) return;
      const metadata = { ...before?.metadata, resourceVersion: String(this.#version) };
      const object = structuredClone(after ?? { ...before, metadata });
      if (after && user === 'controllers') {
        for (const informer of this.#informers) {
          if (resourceName(informer.resource) === resourceName(resource)) informer.written(structuredClone(after));
        }
      }
      feed.add({ type: !after ? 'DELETED' : before ? 'MODIFIED' : 'ADDED', object });
    });
  }

  async start(signal: AbortSignal): Promise<void> {
    for (const informer of this.#informers) void informer.start(signal);
    await Promise.all(this.#informers.map((informer) => informer.waitForSync()));
    await this.deliver();
  }

  /** Whether there is something that has not been delivered. */
  get areLate(): boolean {
    return [...this.#feeds.values()].some((feed) => feed.isLate);
  }

  /** @param isDelivered which watches bring what they have; by default, all */
  async deliver(isDelivered: (resource: string) => boolean = () => true): Promise<void> {
    const chosen = [...this.#feeds].filter(([resource, feed]) => feed.isLate && isDelivered(resource));
    await Promise.all(chosen.map(([, feed]) => feed.deliver()));
  }
}
