import { CDI_CONFIG_NAME } from '../../api/cdi-config.ts';
import { apiServices, configMaps, mutatingWebhookConfigurations, secrets } from '../../kube/builtin-resources.ts';
import { enqueueFrom, type EventSource } from '../../kube/event-source.ts';
import type { Informer } from '../../kube/informer.ts';
import type { ObjectKey } from '../../kube/key.ts';
import type { KubeObject } from '../../kube/resource.ts';
import {
  bundleName,
  CLAIM_WEBHOOK_CONFIGURATION,
  installedObjects,
  type Signer,
  signers,
  TOKEN_SIGNING_SECRET,
  TOKEN_VERIFICATION_SECRET,
  UPLOAD_API_SERVICE,
} from '../../protocol/installation.ts';
import { cachedConfigMap, cachedSecret } from '../runtime/installation-objects.ts';
import type { ControllerSetup } from '../runtime/setup.ts';
import { AuthorityReconciler } from './authority-reconciler.ts';
import { InstalledObject } from './installed-object.ts';
import { issuedBy } from './issued.ts';
import { SigningKeyReconciler } from './signing-key-reconciler.ts';
import { TrustingObjects } from './trusting-objects.ts';

const signerNames = Object.keys(signers) as Signer[];

/** The only key of the controller of upload tokens' keys. */
const SIGNING_KEY = 'upload-tokens';

/** Makes and replaces the certificates and keys that the roles of the installation share. */
export const certificates: ControllerSetup = {
  rights: [
    { resource: secrets, verbs: ['create'], within: 'installation' },
    {
      resource: secrets,
      verbs: ['get', 'list', 'watch', 'update', 'delete'],
      within: 'installation',
      names: installedObjects.secrets,
    },
    { resource: configMaps, verbs: ['create'], within: 'installation' },
    {
      resource: configMaps,
      verbs: ['get', 'list', 'watch', 'update', 'delete'],
      within: 'installation',
      names: installedObjects.configMaps,
    },
    { resource: apiServices, verbs: ['list', 'watch', 'patch'], names: [UPLOAD_API_SERVICE] },
    {
      resource: mutatingWebhookConfigurations,
      verbs: ['list', 'watch', 'patch'],
      names: [CLAIM_WEBHOOK_CONFIGURATION],
    },
  ],
  setup(host, { client, caches, config, now }) {
    const { namespace } = config;
    const secretOf = (name: string) => cachedSecret(host, namespace, name);
    const configMapOf = (name: string) => cachedConfigMap(host, namespace, name);
    const services = host.informer(apiServices, { fieldSelector: `metadata.name=${UPLOAD_API_SERVICE}` });
    const webhooks = host.informer(mutatingWebhookConfigurations, {
      fieldSelector: `metadata.name=${CLAIM_WEBHOOK_CONFIGURATION}`,
    });
    const secret = (name: string) => new InstalledObject(client, secretOf(name), { namespace, name });
    const lifetimes = () => config.certificateLifetimes;
    const cdiConfig = () => caches.cdiConfigs.get({ namespace: '', name: CDI_CONFIG_NAME });

    const objects = {
      secret,
      configMap: (name: string) => new InstalledObject(client, configMapOf(name), { namespace, name }),
      trusting: new TrustingObjects(client, services, webhooks),
    };
    host.addController(new AuthorityReconciler({ config, now, cdiConfig }, objects, lifetimes), {
      watches: [
        ...signerNames.flatMap((signer) => [
          wakes(secretOf(signers[signer]), signer),
          wakes(configMapOf(bundleName(signer)), signer),
          ...issuedBy(signer).map((issued) => wakes(secretOf(issued.secret), signer)),
        ]),
        wakes(services, 'apiserver'),
        wakes(webhooks, 'apiserver'),
        wakes(caches.cdis, ...signerNames),
        wakes(caches.cdiConfigs, 'uploadproxy'),
      ],
      workers: 1,
    });
    const keys = { privateKeys: secret(TOKEN_SIGNING_SECRET), publicKeys: secret(TOKEN_VERIFICATION_SECRET) };
    host.addController(new SigningKeyReconciler({ now }, keys, lifetimes), {
      watches: [
        wakes(secretOf(TOKEN_SIGNING_SECRET), SIGNING_KEY),
        wakes(secretOf(TOKEN_VERIFICATION_SECRET), SIGNING_KEY),
        wakes(caches.cdis, SIGNING_KEY),
      ],
      workers: 1,
    });
  },
};

/** Has what is so named looked at, whenever an object changes. */
function wakes<T extends KubeObject>(informer: Informer<T>, ...names: readonly string[]): EventSource {
  const keys: readonly ObjectKey[] = names.map((name) => ({ namespace: '', name }));
  return enqueueFrom(informer, () => keys);
}
