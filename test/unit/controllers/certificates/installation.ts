import type { CDISpec } from '../../../../src/api/cdi.ts';
import type { CDIConfig } from '../../../../src/api/cdi-config.ts';
import { AuthorityReconciler } from '../../../../src/controllers/certificates/authority-reconciler.ts';
import { InstalledObject } from '../../../../src/controllers/certificates/installed-object.ts';
import { SigningKeyReconciler } from '../../../../src/controllers/certificates/signing-key-reconciler.ts';
import { TrustingObjects } from '../../../../src/controllers/certificates/trusting-objects.ts';
import { lifetimesOf } from '../../../../src/controllers/runtime/lifetimes.ts';
import {
  apiServices,
  configMaps,
  mutatingWebhookConfigurations,
  type Secret,
  secrets,
} from '../../../../src/kube/builtin-resources.ts';
import type { KubeClient } from '../../../../src/kube/client.ts';
import { ApiError } from '../../../../src/kube/errors.ts';
import type { Informer } from '../../../../src/kube/informer.ts';
import { keyOf, type ObjectKey } from '../../../../src/kube/key.ts';
import type { KubeObject, Resource } from '../../../../src/kube/resource.ts';
import {
  BUNDLE_KEY,
  bundleName,
  CLAIM_WEBHOOK_CONFIGURATION,
  type Signer,
  signers,
  TOKEN_SIGNING_SECRET,
  TOKEN_VERIFICATION_SECRET,
  UPLOAD_API_SERVICE,
} from '../../../../src/protocol/installation.ts';
import { refusal, SimulatedApi } from '../world/api.ts';
import { SimulatedClient } from '../world/client.ts';

const NAMESPACE = 'cdi';

/** An installation whose certificates are looked after, and whose clock is set by hand. */
export class Installation {
  readonly api: SimulatedApi;
  time = Date.parse('2026-01-01T00:00:00Z');
  certConfig: CDISpec['certConfig'];
  cdiConfig: CDIConfig | undefined;
  /** Writes that still succeed before the controllers are killed. */
  writesLeft = Infinity;
  writes = 0;

  constructor() {
    this.api = new SimulatedApi(
      () => undefined,
      () => this.time,
    );
    this.api.create('cluster', apiServices, {
      metadata: { name: UPLOAD_API_SERVICE },
      spec: { groupPriorityMinimum: 1000, versionPriority: 15 },
    });
    this.api.create('cluster', mutatingWebhookConfigurations, {
      metadata: { name: CLAIM_WEBHOOK_CONFIGURATION },
      webhooks: [
        { name: 'claims.cdi.kubevirt.io', clientConfig: {}, sideEffects: 'None', admissionReviewVersions: ['v1'] },
      ],
    });
  }

  /** Everything is looked at once; it returns when to look again, in milliseconds. */
  async settle(): Promise<number> {
    const { authorities, signingKey } = this.#reconcilers();
    const waits: (number | undefined)[] = [];
    for (const name of Object.keys(signers))
      waits.push((await authorities.reconcile({ namespace: '', name }))?.requeueAfter);
    waits.push((await signingKey.reconcile())?.requeueAfter);
    return Math.min(...waits.map((wait) => wait ?? Infinity));
  }

  /** Time passes, and everything is looked at whenever it asked for that; calls `look` after each time. */
  async pass(milliseconds: number, look: () => Promise<void> | void = () => undefined): Promise<void> {
    const end = this.time + milliseconds;
    while (this.time < end) {
      const wait = await this.settle();
      await look();
      this.time = Math.min(end, this.time + Math.max(wait, 1000));
    }
    await this.settle();
    await look();
  }

  secret(name: string): Secret | undefined {
    return this.api.find(secrets, { namespace: NAMESPACE, name });
  }

  text(secret: string, key: string): string {
    return Buffer.from(this.secret(secret)?.data?.[key] ?? '', 'base64').toString();
  }

  bundle(signer: Signer): string {
    return this.api.find(configMaps, { namespace: NAMESPACE, name: bundleName(signer) })?.data?.[BUNDLE_KEY] ?? '';
  }

  #reconcilers(): { authorities: AuthorityReconciler; signingKey: SigningKeyReconciler } {
    const client = this.#client();
    const lifetimes = () => lifetimesOf(this.certConfig);
    const context = {
      now: () => this.time,
      config: { namespace: NAMESPACE } as never,
      cdiConfig: () => this.cdiConfig,
    };
    const informer = <T extends KubeObject>(resource: Resource<T>) =>
      ({
        resource,
        get: (key: ObjectKey) => this.api.find(resource, key),
        list: () => this.api.list(resource),
      }) as unknown as Informer<T>;
    const secret = (name: string) => new InstalledObject(client, informer(secrets), { namespace: NAMESPACE, name });
    return {
      authorities: new AuthorityReconciler(
        context,
        {
          secret,
          configMap: (name) => new InstalledObject(client, informer(configMaps), { namespace: NAMESPACE, name }),
          trusting: new TrustingObjects(client, informer(apiServices), informer(mutatingWebhookConfigurations)),
        },
        lifetimes,
      ),
      signingKey: new SigningKeyReconciler(
        context,
        { privateKeys: secret(TOKEN_SIGNING_SECRET), publicKeys: secret(TOKEN_VERIFICATION_SECRET) },
        lifetimes,
      ),
    };
  }

  #client(): KubeClient {
    const before = async () => {
      if (this.writesLeft <= 0) throw new Error('killed');
    };
    const simulated = new SimulatedClient(this.api, 'controllers', { before });
    const written = () => {
      this.writes++;
      this.writesLeft--;
    };
    return {
      get: async (resource: Resource<KubeObject>, key: ObjectKey) => this.api.find(resource, key),
      create: async (resource: Resource<KubeObject>, object: KubeObject) => {
        const created = await simulated.create(resource, object);
        written();
        return created;
      },
      update: async (resource: Resource<Secret>, object: Secret) => {
        await before();
        const found = this.api.find(resource, keyOf(object));
        if (found?.type !== object.type || found?.immutable)
          throw new ApiError({ code: 422, reason: 'Invalid', message: 'the type is immutable' });
        const { uid, resourceVersion } = object.metadata ?? {};
        if (found?.metadata?.resourceVersion !== resourceVersion) throw refusal(409, 'Conflict', 'it has changed');
        written();
        return this.api.change('controllers', resource, keyOf(object), () => object, { uid, resourceVersion });
      },
      delete: async (resource: Resource<KubeObject>, key: ObjectKey) => {
        await simulated.delete(resource, key);
        written();
      },
      mergePatch: async (resource: Resource<KubeObject>, key: ObjectKey, patch: KubeObject) => {
        await simulated.mergePatch(resource, key, patch);
        written();
      },
      apply: async (resource: Resource<KubeObject>, object: KubeObject, options: { fieldManager: string }) => {
        await simulated.apply(resource, object, options);
        written();
      },
    } as unknown as KubeClient;
  }
}
