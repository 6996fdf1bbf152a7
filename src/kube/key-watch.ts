import type { Logger } from '../base/logger.ts';
import { toError } from './errors.ts';
import type { Informer } from './informer.ts';
import type { ObjectKey } from './key.ts';
import type { Manager } from './manager.ts';
import type { KubeObject, Resource } from './resource.ts';

/**
 * Watches the objects that have the certificates and keys of a service. Each is in use as soon as the watch of its
 * object has told of it; one that cannot be used is logged, and the one before it stays in use.
 */
export class KeyWatch {
  readonly #manager: Pick<Manager, 'informer'>;
  readonly #logger: Logger;

  /** @param manager that runs the watches */
  constructor(manager: Pick<Manager, 'informer'>, logger: Logger) {
    this.#manager = manager;
    this.#logger = logger;
  }

  /** Returns the cache of a single object, for which the right to list and watch that one is enough. */
  object<T extends KubeObject>(resource: Resource<T>, { namespace, name }: ObjectKey): Informer<T> {
    return this.#manager.informer(resource, { namespace, fieldSelector: `metadata.name=${name}` });
  }

  /**
   * Takes keys into use whenever their object changes.
   *
   * @param what for people
   * @param read returns whether everything is there; throws where it cannot be used
   */
  use<T extends KubeObject>(what: string, object: Informer<T>, read: () => boolean | Promise<boolean>): void {
    object.onChange(() => void this.#read(what, read));
  }

  async #read(what: string, read: () => boolean | Promise<boolean>): Promise<void> {
    try {
      if (await read()) this.#logger.info(`using the ${what}`, { step: 'keys' });
    } catch (error) {
      this.#logger.error(`the new ${what} cannot be used`, { step: 'keys', error: toError(error).message });
    }
  }
}
