import type { CloneType } from '../../../../src/api/clone.ts';
import type { MetadataServices } from '../../../../src/controllers/changed-blocks/metadata-services.ts';
import type { ImagePoller } from '../../../../src/controllers/image-polls/image-poller.ts';
import {
  promisedToClaimAnnotation,
  retainedForClaimAnnotation,
  workForClaimAnnotation,
} from '../../../../src/controllers/objects/internal-annotations.ts';
import type { TemporaryVolumeReconciler } from '../../../../src/controllers/temporary/volume-reconciler.ts';
import type { Reconciler } from '../../../../src/kube/controller.ts';
import { ApiError, isConflict, TerminalError, toError, WaitingError } from '../../../../src/kube/errors.ts';
import { keyFromString, keyOf, keyToString, type ObjectKey } from '../../../../src/kube/key.ts';
import type { KubeObject } from '../../../../src/kube/resource.ts';
import { admission } from './admission.ts';
import { SimulatedApi } from './api.ts';
import type { Authorize } from './client.ts';
import { Cluster } from './cluster.ts';
import { Data } from './data.ts';
import { install, PRECIOUS } from './installation.ts';
import { LaggingCaches } from './lagging-caches.ts';
import { Law } from './law.ts';
import { startControllers } from './started-controllers.ts';

/** Between two rounds. */
const ROUND_MILLISECONDS = 6_000;

export const controllerNames = [
  'data-volume',
  'data-source',
  'import-populator',
  'clone-populator',
  'import',
  'upload-populator',
  'upload',
  'copy',
  'clone-grant',
  'clone-base',
  'orphan',
  'temporary-volume',
  'temporary-snapshot',
  'image-poll',
  'data-import-cron',
] as const;
export type ControllerName = (typeof controllerNames)[number];

export type Pace = 'even' | 'late watches' | 'late watches of others' | 'late Kubernetes';

export interface WorldOptions {
  /** Of the storage. */
  readonly cloneStrategy: CloneType;
  /** Whether deploy/admission/clone-by-annotation.yaml is in force, like the other policies. */
  readonly hasAnnotationPolicy: boolean;
  /** Whether the quotas of all namespaces have room for one more claim in the tenant's, and for none elsewhere. */
  readonly hasTightQuotas?: boolean;
  /** Milliseconds of a round; by default, longer than the controllers wait for anything but a deletion to settle. */
  readonly roundMilliseconds?: number;
  /** Asked for each request of the controllers. */
  readonly authorize?: Authorize;
  /** Finds versions of images; without it, none is found. */
  readonly poller?: ImagePoller;
  /** Where the services of CSI drivers are found that tell of blocks; by default, as the cluster announces them. */
  readonly services?: MetadataServices;
  /** Told of each event: what it is about, and its message. */
  readonly onEvent?: (about: KubeObject, event: { reason: string; message: string }) => void;
  /** Told of what a controller could not do. */
  readonly onFailure?: (failure: Error) => void;
}

/** A cluster in which the controllers work, whose time passes only in rounds. */
export class World {
  readonly api: SimulatedApi;
  readonly data: Data;
  #law: Law | undefined;
  readonly #cluster: Cluster;
  readonly #options: WorldOptions;
  #caches: LaggingCaches;
  #reconcilers: ReadonlyMap<string, Reconciler>;
  #interruption:
    | { requests: number; readonly happening: () => Promise<void>; readonly by?: readonly ControllerName[] | undefined }
    | undefined;
  #working: ControllerName | undefined;
  readonly #ended = new AbortController().signal;
  #time = Date.parse('2026-01-01T00:00:00Z');

  /** A world in which nothing is left to do before the tenant comes. */
  static async of(options: WorldOptions): Promise<World> {
    const world = new World(options);
    await world.round();
    await world.round();
    world.#law = new Law(world.api, world.data, (key) => world.#caches.caches.claims.get(key));
    return world;
  }

  private constructor(options: WorldOptions) {
    const now = () => this.#time;
    this.#options = options;
    this.api = new SimulatedApi(admission(options.hasAnnotationPolicy), now);
    this.data = new Data(this.api);
    this.#cluster = new Cluster(this.api, this.data);
    install(this.api, options.cloneStrategy, options.hasTightQuotas ?? false);
    this.#cluster.step();
    for (const key of PRECIOUS) {
      const origin = [keyToString(key)];
      this.data.put(this.data.volumeOf(key)?.metadata?.name, origin);
      const snapshot = `snapcontent-volumesnapshot.${key.namespace}.${key.name}.1`;
      this.data.put(snapshot, origin);
    }
    this.#time += 60_000;
    this.#caches = new LaggingCaches(this.api);
    this.#reconcilers = this.#start();
  }

  get law(): Law {
    if (!this.#law) throw new Error('there is no law before the tenant comes');
    return this.#law;
  }

  /** The controllers end, and are started anew. */
  restart(): void {
    this.#caches = new LaggingCaches(this.api);
    this.#reconcilers = this.#start();
  }

  /** Time passes, in which nothing happens. */
  pass(milliseconds: number): void {
    this.#time += milliseconds;
  }

  /** Whether the storage makes volumes for claims, from now on. */
  set provisions(does: boolean) {
    this.#cluster.provisions = does;
  }

  /** What Kubernetes does by itself. */
  kubernetes(): void {
    this.#cluster.step();
  }

  /**
   * What Kubernetes does by itself, and then whatever the controllers have to do.
   *
   * @param pace who is late: the watches, so that the controllers do not know of what was written last, or only of what
   *   they wrote themselves, or Kubernetes
   */
  async round(pace: Pace = 'even'): Promise<void> {
    this.#time += this.#options.roundMilliseconds ?? ROUND_MILLISECONDS;
    if (pace === 'even') this.#cluster.step();
    this.#caches.knowOwnWrites = pace === 'late watches of others';
    if (pace === 'even' || pace === 'late Kubernetes') this.#caches.deliver();
    for (const name of controllerNames) for (const key of this.#keysOf(name)) await this.work(name, key);
    this.#law?.lookAtData();
  }

  /**
   * Has something happen, and become known, in the middle of what the controllers do next: before so many more of their
   * requests.
   *
   * @param by the controllers whose requests count; all of them by default
   */
  interrupt(requests: number, happening: () => Promise<void>, by?: readonly ControllerName[]): void {
    this.#interruption = { requests, happening, by };
  }

  async #beforeRequest(): Promise<void> {
    const interruption = this.#interruption;
    if (interruption?.by && !interruption.by.some((name) => name === this.#working)) return;
    if (!interruption || interruption.requests-- > 0) return;
    this.#interruption = undefined;
    await interruption.happening();
    this.#caches.deliver();
  }

  /** One controller looks at one key, with what its caches know. */
  async work(name: ControllerName, key: ObjectKey): Promise<void> {
    const reconciler = this.#reconcilers.get(name);
    if (!reconciler) throw new Error(`there is no controller ${name}`);
    this.#working = name;
    try {
      await reconciler.reconcile(key, { signal: this.#ended } as never);
    } catch (error) {
      const failure = toError(error);
      const isKnown = [ApiError, TerminalError, WaitingError].some((known) => failure instanceof known);
      if (!isKnown) throw error;
      this.#options.onFailure?.(failure);
      if (!isConflict(failure)) await ignoringRefusal(() => reconciler.failed?.(key, failure));
    }
  }

  #keysOf(name: ControllerName): ObjectKey[] {
    const { claims, volumes, snapshots, pods, dataVolumes, dataSources, dataImportCrons, cloneGrants } =
      this.#caches.caches;
    if (name === 'data-volume') return dataVolumes.list().map(keyOf);
    if (name === 'data-source') return dataSources.list().map(keyOf);
    if (name === 'image-poll' || name === 'data-import-cron') return dataImportCrons.list().map(keyOf);
    if (name === 'clone-grant') return cloneGrants.list().map(keyOf);
    if (name === 'temporary-volume') {
      const temporary = this.#reconcilers.get(name) as TemporaryVolumeReconciler;
      return [...claims.list().flatMap((claim) => temporary.volumeOf(claim)), ...volumes.list().map(keyOf)];
    }
    if (name === 'temporary-snapshot' || name === 'clone-base') return snapshots.list().map(keyOf);
    if (name !== 'orphan') return claims.list().map(keyOf);
    const helpers = [...claims.list(), ...snapshots.list(), ...pods.list(), ...volumes.list()];
    const helped = helpers.flatMap(({ metadata: { annotations } = {} }) => [
      annotations?.[workForClaimAnnotation],
      annotations?.[promisedToClaimAnnotation],
      annotations?.[retainedForClaimAnnotation],
    ]);
    return [...new Set(helped.filter((each) => each !== undefined))].map(keyFromString);
  }

  #start(): ReadonlyMap<string, Reconciler> {
    const { authorize, poller, services, onEvent } = this.#options;
    const started = startControllers({
      api: this.api,
      caches: this.#caches.caches,
      now: () => this.#time,
      authorize,
      poller,
      services,
      before: () => this.#beforeRequest(),
      onEvent: (about, event) => {
        this.#law?.lookAtEvent(about, event.reason);
        onEvent?.(about, event);
      },
    });
    return new Map([...started].map(([name, { reconciler }]) => [name, reconciler]));
  }
}

async function ignoringRefusal(work: () => Promise<unknown> | undefined): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
  }
}
