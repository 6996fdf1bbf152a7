import { type CDI, cdis } from '../../../../src/api/cdi.ts';
import { cdi } from '../../../../src/controllers/cdi/setup.ts';
import { certificates } from '../../../../src/controllers/certificates/setup.ts';
import { cachedResources, type Caches } from '../../../../src/controllers/runtime/caches.ts';
import { CDI_NAME, ConfigView } from '../../../../src/controllers/runtime/config-view.ts';
import type { ControllerHost } from '../../../../src/controllers/runtime/setup.ts';
import { storageProfile } from '../../../../src/controllers/storage-profile/setup.ts';
import { CDI_CONFIG } from '../../../../src/controllers/upload-proxy-url/reconciler.ts';
import { uploadProxyUrl } from '../../../../src/controllers/upload-proxy-url/setup.ts';
import {
  apiServices,
  deployments,
  mutatingWebhookConfigurations,
  services,
  storageClasses,
} from '../../../../src/kube/builtin-resources.ts';
import type { Reconciler } from '../../../../src/kube/controller.ts';
import { toError } from '../../../../src/kube/errors.ts';
import type { InformerOptions } from '../../../../src/kube/informer.ts';
import { keyOf, keyToString, type ObjectKey } from '../../../../src/kube/key.ts';
import type { KubeObject, Resource } from '../../../../src/kube/resource.ts';
import { CLAIM_WEBHOOK_CONFIGURATION, signers, UPLOAD_API_SERVICE } from '../../../../src/protocol/installation.ts';
import { Metrics } from '../../../../src/server/metrics.ts';
import { objectsIn } from '../../../support/deployed.ts';
import { SimulatedApi } from './api.ts';
import { type Authorize, SimulatedClient } from './client.ts';
import { STORAGE_CLASS } from './installation.ts';

const KEYS: Readonly<Record<string, readonly ObjectKey[]>> = {
  cdi: [{ namespace: '', name: CDI_NAME }],
  'storage-profile': [{ namespace: '', name: STORAGE_CLASS }],
  'upload-proxy-url': [CDI_CONFIG],
  certificates: Object.keys(signers).map((name) => ({ namespace: '', name })),
  'signing-key': [{ namespace: '', name: 'upload-tokens' }],
};

/** The controllers of the installation itself, which concern no claim, in a cluster that has nothing else. */
export class InstallationControllers {
  /** Whether the caches know of nothing that the controllers have made. */
  isBlind = false;
  readonly api: SimulatedApi;
  readonly #reconcilers: readonly Reconciler[];
  readonly #onFailure: (failure: Error) => void;
  #writesLeft: number | undefined;
  /** Names of the Deployments of which nobody has told yet that their last change was seen. */
  readonly #isUntold = new Set<string>();
  #generation = 0;
  #time = Date.parse('2026-01-01T00:00:00Z');

  /** @param onFailure told of what a controller could not do */
  constructor(authorize: Authorize, onFailure: (failure: Error) => void) {
    this.api = new SimulatedApi(
      () => undefined,
      () => this.#time,
    );
    this.#onFailure = onFailure;
    this.api.onWrite(({ user, resource, after }) => {
      if (user === 'controllers' && resource.kind === 'Deployment' && after) this.#isUntold.add(keyOf(after).name);
      if (user === 'controllers' && this.#writesLeft !== undefined) this.#writesLeft -= 1;
    });
    this.api.create('cluster', storageClasses, {
      metadata: { name: STORAGE_CLASS },
      provisioner: 'hspc.csi.hitachi.com',
    });
    this.api.create('cluster', apiServices, {
      metadata: { name: UPLOAD_API_SERVICE },
      spec: { groupPriorityMinimum: 1000, versionPriority: 15 },
    });
    for (const file of ['base/controller.yaml', 'base/apiserver.yaml', 'base/upload-proxy.yaml'])
      for (const object of objectsIn(file))
        for (const resource of [deployments, services])
          if (object.kind === resource.kind) this.api.create('cluster', resource, object as KubeObject);
    const webhook = { name: 'claims.cdi.kubevirt.io', clientConfig: {}, sideEffects: 'None' as const };
    this.api.create('cluster', mutatingWebhookConfigurations, {
      metadata: { name: CLAIM_WEBHOOK_CONFIGURATION },
      webhooks: [{ ...webhook, admissionReviewVersions: ['v1'] }],
    });
    this.#reconcilers = this.#start(authorize);
  }

  /** Every controller looks at everything, time and again, and time passes meanwhile. */
  async pass(rounds: number, milliseconds: number): Promise<void> {
    for (let round = 0; round < rounds; round++, this.#time += milliseconds)
      for (const reconciler of this.#reconcilers)
        for (const key of KEYS[reconciler.name] ?? [])
          await reconciler.reconcile(key, undefined as never).catch((error: unknown) => {
            this.#onFailure(toError(error));
          });
  }

  /** An administrator changes the settings. */
  configure(spec: CDI['spec']): void {
    const key = { namespace: '', name: CDI_NAME };
    if (this.api.find(cdis, key)) this.api.change('cluster', cdis, key, (found) => ({ ...found, spec }));
  }

  /** After so many of their writes, the controllers get no further; undefined lets them work. */
  killAfter(writes: number | undefined): void {
    this.#writesLeft = writes;
  }

  /** The controllers of Deployments tell that they have seen each change, which is a change of its own. */
  #tellSeen(): void {
    for (const name of this.#isUntold) {
      this.#generation += 1;
      const observedGeneration = this.#generation;
      const key = { namespace: 'cdi', name };
      this.api.change('cluster', deployments, key, (found) => ({ ...found, status: { observedGeneration } }));
    }
    this.#isUntold.clear();
  }

  async #beforeRequest(): Promise<void> {
    this.#tellSeen();
    if (this.#writesLeft !== undefined && this.#writesLeft <= 0) throw new Error('killed');
  }

  #start(authorize: Authorize): Reconciler[] {
    const entries = Object.entries(cachedResources).map(([name, { resource }]) => [
      name,
      this.#cache(resource as Resource<KubeObject>),
    ]);
    const caches = Object.fromEntries(entries) as unknown as Caches;
    const started: Reconciler[] = [];
    const before = () => this.#beforeRequest();
    const host: ControllerHost = {
      addController: (reconciler) => void started.push(reconciler),
      informer: (resource, options) => this.#cache(resource, options),
      metrics: new Metrics(),
    };
    for (const { rights, setup } of [cdi, certificates, uploadProxyUrl, storageProfile])
      setup(host, {
        client: new SimulatedClient(this.api, 'controllers', { rights, authorize, before }).asKubeClient(),
        caches,
        config: new ConfigView(caches, { image: 'diskpress', namespace: 'cdi' }),
        events: undefined as never,
        policies: undefined as never,
        progress: undefined as never,
        version: 'test',
        now: () => this.#time,
      });
    return started;
  }

  #cache<T extends KubeObject>(resource: Resource<T>, { namespace, fieldSelector }: InformerOptions<T> = {}): never {
    const name = fieldSelector?.replace('metadata.name=', '');
    const list = () =>
      (this.isBlind && resource.kind !== 'StorageClass' ? [] : this.api.list(resource)).filter(
        ({ metadata }) =>
          (namespace === undefined || metadata?.namespace === namespace) &&
          (name === undefined || metadata?.name === name),
      );
    return {
      resource,
      list,
      get: (key: ObjectKey) => list().find((object) => keyToString(keyOf(object)) === keyToString(key)),
      get size() {
        return list().length;
      },
      onChange: () => undefined,
    } as never;
  }
}
