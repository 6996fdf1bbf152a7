import { objectLabels } from '../../api/labels.ts';
import type { ConfigMap, Secret } from '../../kube/builtin-resources.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isInvalid } from '../../kube/errors.ts';
import type { Informer } from '../../kube/informer.ts';
import type { ObjectKey } from '../../kube/key.ts';

/** A Secret or ConfigMap of the installation, which the controllers write as a whole. */
export class InstalledObject<T extends Secret | ConfigMap> {
  readonly #client: KubeClient;
  readonly #informer: Informer<T>;
  readonly #key: ObjectKey;

  constructor(client: KubeClient, informer: Informer<T>, key: ObjectKey) {
    this.#client = client;
    this.#informer = informer;
    this.#key = key;
  }

  /** Returns the object, also where the cache does not know it yet; undefined where there is none. */
  async read(): Promise<T | undefined> {
    return this.#informer.get(this.#key) ?? (await this.#client.get(this.#informer.resource, this.#key));
  }

  /**
   * Makes the object what it should be. One that cannot be changed to that, because it is of another type or immutable,
   * is replaced.
   *
   * @param found what it was decided by; to change another is a conflict
   */
  async write(found: T | undefined, content: Partial<T>, annotations: Readonly<Record<string, string>>): Promise<T> {
    const { resource } = this.#informer;
    const { metadata } = found ?? {};
    const object = {
      ...content,
      metadata: {
        ...this.#key,
        labels: { ...metadata?.labels, ...objectLabels },
        annotations: { ...metadata?.annotations, ...annotations },
      },
    } as unknown as T;
    if (!metadata) return this.#client.create(resource, object);
    const { uid, resourceVersion } = metadata;
    try {
      return await this.#client.update(resource, { ...object, metadata: { ...object.metadata, uid, resourceVersion } });
    } catch (error) {
      if (!isInvalid(error)) throw error;
      await this.#client.delete(resource, this.#key, { uid, resourceVersion });
      return this.#client.create(resource, object);
    }
  }
}

/** Returns the time in an annotation, in milliseconds since the epoch; 0 where there is none. */
export function timeIn(object: Secret | ConfigMap | undefined, annotation: string): number {
  const time = Date.parse(object?.metadata?.annotations?.[annotation] ?? '');
  return Number.isNaN(time) ? 0 : time;
}

/** Returns the content of a Secret. */
export function dataOf(texts: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, Buffer.from(text).toString('base64')]));
}
