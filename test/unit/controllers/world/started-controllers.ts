import { controllers } from '../../../../src/controllers/all.ts';
import type { MetadataServices } from '../../../../src/controllers/changed-blocks/metadata-services.ts';
import { clone, cloneWith } from '../../../../src/controllers/clone/setup.ts';
import { dataImportCron, dataImportCronWith } from '../../../../src/controllers/data-import-cron/setup.ts';
import type { ImagePoller } from '../../../../src/controllers/image-polls/image-poller.ts';
import { ProgressPoll } from '../../../../src/controllers/progress/progress-poll.ts';
import { AdmissionPolicies } from '../../../../src/controllers/runtime/admission-policies.ts';
import type { Caches } from '../../../../src/controllers/runtime/caches.ts';
import { ConfigView } from '../../../../src/controllers/runtime/config-view.ts';
import type { ControllerHost } from '../../../../src/controllers/runtime/setup.ts';
import type { Reconciler } from '../../../../src/kube/controller.ts';
import type { EventSource } from '../../../../src/kube/event-source.ts';
import type { EventRecorder } from '../../../../src/kube/events.ts';
import type { KubeObject } from '../../../../src/kube/resource.ts';
import { Metrics } from '../../../../src/server/metrics.ts';
import type { SimulatedApi } from './api.ts';
import { certificatesOf } from './certificates.ts';
import { type Authorize, SimulatedClient } from './client.ts';

/** A controller that nobody runs. */
export interface Started {
  readonly reconciler: Reconciler;
  readonly watches: readonly EventSource[];
}

export interface StartOptions {
  readonly api: SimulatedApi;
  readonly caches: Caches;
  readonly now: () => number;
  /** Asked for each request of the controllers. */
  readonly authorize?: Authorize | undefined;
  /** Awaited before each request of the controllers. */
  readonly before?: (() => Promise<void>) | undefined;
  /** Finds versions of images; without it, none is found. */
  readonly poller?: ImagePoller | undefined;
  /** Where the services of CSI drivers are found that tell of blocks; by default, as the cluster announces them. */
  readonly services?: MetadataServices | undefined;
  readonly onEvent?: ((about: KubeObject, event: { reason: string; message: string }) => void) | undefined;
}

/**
 * Sets all controllers up, by their names. Each feature's controllers have a client that refuses what the feature has
 * not declared to need.
 */
export function startControllers(options: StartOptions): ReadonlyMap<string, Started> {
  const { api, caches, now, authorize, before, poller, services } = options;
  const context = {
    events: { event: options.onEvent ?? (() => undefined) } as unknown as EventRecorder,
    caches,
    config: new ConfigView(caches, { image: 'diskpress', namespace: 'cdi' }),
    policies: new AdmissionPolicies(caches, 'cdi', now),
    progress: new ProgressPoll({ fetch: async () => undefined, now }),
    version: 'test',
    now,
  };
  const started = new Map<string, Started>();
  const host: ControllerHost = {
    addController: (reconciler, { watches }) => void started.set(reconciler.name, { reconciler, watches }),
    // What only one controller reads is of no concern here, but for the certificates of the installation.
    informer: (resource, { fieldSelector } = {}) => certificatesOf(resource, fieldSelector) as never,
    metrics: new Metrics(),
  };
  const images = poller ?? { poll: () => Promise.reject(new Error('the source does not answer')) };
  const replaced = new Map([[dataImportCron, dataImportCronWith(() => images)]]);
  if (services)
    replaced.set(
      clone,
      cloneWith(() => services),
    );
  for (const each of controllers) {
    const { rights, setup } = replaced.get(each) ?? each;
    const client = new SimulatedClient(api, 'controllers', {
      rights,
      ...(before && { before }),
      ...(authorize && { authorize }),
    });
    setup(host, { ...context, client: client.asKubeClient() });
  }
  return started;
}
