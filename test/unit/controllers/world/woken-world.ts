import type { CloneType } from '../../../../src/api/clone.ts';
import { isConflict, TerminalError, toError, WaitingError } from '../../../../src/kube/errors.ts';
import { keyFromString, keyToString } from '../../../../src/kube/key.ts';
import { resourceName } from '../../../../src/kube/resource.ts';
import { admission } from './admission.ts';
import { SimulatedApi } from './api.ts';
import { Cluster } from './cluster.ts';
import { Data } from './data.ts';
import { install } from './installation.ts';
import { startControllers, type Started } from './started-controllers.ts';
import { WatchedCaches } from './watched-caches.ts';
import { controllerNames } from './world.ts';

/** As the runtime has it. */
const WAITING_MILLISECONDS = 30_000;
const RETRY_MILLISECONDS = 50;
/** What is looked at again so soon needs no watch to wake anybody. */
const SOON_MILLISECONDS = 1_000;
/** Of all controllers between two steps of Kubernetes: more is a loop. */
const MOST_RECONCILIATIONS = 2_000;

/** A cluster in which controllers look at what their watches wake them for, and at what they asked to see again. */
export class WokenWorld {
  readonly api: SimulatedApi;
  readonly #cluster: Cluster;
  readonly #caches: WatchedCaches;
  readonly #started: ReadonlyMap<string, Started>;
  readonly #woken = new Map<string, Set<string>>();
  /** When a key is due, by controller and key. */
  readonly #due = new Map<string, number>();
  readonly #ended = new AbortController();
  #time = Date.parse('2026-01-01T00:00:00Z');
  /** What the controllers have written since the last look. */
  #writes: string[] = [];
  /** What each controller has been woken for so far. */
  readonly #seen = new Map<string, Set<string>>();

  private constructor(cloneStrategy: CloneType) {
    const now = () => this.#time;
    this.api = new SimulatedApi(admission(true), now);
    this.#caches = new WatchedCaches(this.api);
    this.#cluster = new Cluster(this.api, new Data(this.api));
    install(this.api, cloneStrategy, false);
    this.#cluster.step();
    this.#time += 60_000;
    this.api.onWrite(({ user, resource, before, after }) => {
      const { namespace, name } = (after ?? before)?.metadata ?? {};
      if (user === 'controllers') this.#writes.push(`${resourceName(resource)} ${namespace ?? ''}/${name ?? ''}`);
    });
    this.#started = startControllers({ api: this.api, caches: this.#caches.caches, now });
  }

  static async of(cloneStrategy: CloneType): Promise<WokenWorld> {
    const world = new WokenWorld(cloneStrategy);
    await world.#caches.start(world.#ended.signal);
    for (const name of controllerNames) {
      for (const watch of world.#started.get(name)?.watches ?? [])
        watch.attach((key) => world.#wake(name, keyToString(key)));
    }
    await world.round();
    return world;
  }

  end(): void {
    this.#ended.abort();
  }

  /**
   * Time passes, Kubernetes does what it does by itself, the watches bring it, and the controllers do what they are
   * woken for.
   *
   * @param isDelivered which watches bring what they have at first
   */
  async round(milliseconds = 1_000, isDelivered: (resource: string) => boolean = () => true): Promise<void> {
    this.#time += milliseconds;
    this.#cluster.step();
    await this.#caches.deliver(isDelivered);
    await this.#settle();
    while (this.#caches.areLate) {
      await this.#caches.deliver();
      await this.#settle();
    }
  }

  /**
   * Every controller looks at everything that it has ever been woken for, and is not to look at soon anyway; returns
   * what that has it write.
   */
  async lookAtAll(): Promise<string[]> {
    const found: string[] = [];
    for (const [name, keys] of this.#seen) {
      for (const key of [...keys]) {
        const due = (this.#due.get(`${name} ${key}`) ?? Infinity) - this.#time;
        if (due <= SOON_MILLISECONDS) continue;
        this.#writes = [];
        await this.#reconcile(name, key);
        found.push(...this.#writes.map((write) => `${name} ${key}, due in ${due} ms: ${write}`));
      }
    }
    return found;
  }

  #wake(name: string, key: string): void {
    for (const keys of [this.#woken, this.#seen]) {
      const known = keys.get(name) ?? new Set<string>();
      keys.set(name, known.add(key));
    }
  }

  async #settle(): Promise<void> {
    for (const [id, at] of [...this.#due]) {
      if (at > this.#time) continue;
      this.#due.delete(id);
      const [name = '', key = ''] = id.split(' ');
      this.#wake(name, key);
    }
    let done = 0;
    for (let isDone = false; !isDone;) {
      isDone = true;
      for (const [name, keys] of this.#woken) {
        for (const key of [...keys]) {
          keys.delete(key);
          isDone = false;
          if (++done > MOST_RECONCILIATIONS) throw new Error(`${name} is woken for ${key} again and again`);
          await this.#reconcile(name, key);
        }
      }
    }
  }

  async #reconcile(name: string, key: string): Promise<void> {
    const { reconciler } = this.#started.get(name)!;
    const object = keyFromString(key);
    const again = (after: number) => this.#due.set(`${name} ${key}`, this.#time + after);
    try {
      const outcome = await reconciler.reconcile(object, { signal: this.#ended.signal } as never);
      if (outcome?.requeueAfter !== undefined) again(outcome.requeueAfter);
    } catch (thrown) {
      const failure = toError(thrown);
      if (failure instanceof WaitingError) again(failure.after ?? WAITING_MILLISECONDS);
      else if (!(failure instanceof TerminalError)) again(RETRY_MILLISECONDS);
      if (!isConflict(failure)) await Promise.resolve(reconciler.failed?.(object, failure)).catch(() => undefined);
    }
  }
}
