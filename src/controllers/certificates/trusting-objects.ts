import {
  type APIService,
  apiServices,
  type MutatingWebhookConfiguration,
  mutatingWebhookConfigurations,
} from '../../kube/builtin-resources.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Informer } from '../../kube/informer.ts';
import { keyOf } from '../../kube/key.ts';

const FIELD_MANAGER = 'diskpress-certificates';

/** The objects by which the API server knows whom to trust when it calls ours. */
export class TrustingObjects {
  readonly #client: KubeClient;
  readonly #services: Informer<APIService>;
  readonly #webhooks: Informer<MutatingWebhookConfiguration>;

  constructor(client: KubeClient, services: Informer<APIService>, webhooks: Informer<MutatingWebhookConfiguration>) {
    this.#client = client;
    this.#services = services;
    this.#webhooks = webhooks;
  }

  /**
   * Writes the certificates into those that are installed.
   *
   * @param bundle PEM
   */
  async trust(bundle: string): Promise<void> {
    const caBundle = Buffer.from(bundle).toString('base64');
    for (const service of this.#services.list()) {
      if (service.spec?.caBundle === caBundle) continue;
      await this.#client.mergePatch(
        apiServices,
        keyOf(service),
        { spec: { caBundle } },
        { fieldManager: FIELD_MANAGER },
      );
    }
    for (const { metadata, webhooks = [] } of this.#webhooks.list()) {
      if (webhooks.every(({ clientConfig }) => clientConfig.caBundle === caBundle)) continue;
      await this.#client.apply(
        mutatingWebhookConfigurations,
        {
          metadata: { name: metadata?.name, uid: metadata?.uid },
          webhooks: webhooks.map(({ name }) => ({ name, clientConfig: { caBundle } })),
        },
        { fieldManager: FIELD_MANAGER },
      );
    }
  }
}
