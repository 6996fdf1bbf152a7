import * as z from 'zod';
import { TransferError } from '../../base/errors.ts';
import { serviceAccounts, tokenRequests, tokenReviews } from '../../kube/builtin-resources.ts';
import type { KubeClient } from '../../kube/client.ts';
import { defineResource, type KubeObject } from '../../kube/resource.ts';
import type { SnapshotMetadata } from '../../snapshot-metadata/snapshot-metadata.ts';
import type { Right } from '../runtime/rights.ts';

/** The object by which a CSI driver announces its SnapshotMetadata service, and which has the driver's name. */
export const snapshotMetadataServices = defineResource<KubeObject & { spec?: unknown }>({
  group: 'cbt.storage.k8s.io',
  version: 'v1beta1',
  kind: 'SnapshotMetadataService',
  plural: 'snapshotmetadataservices',
  namespaced: false,
});

const serviceSpec = z.object({ audience: z.string().min(1), address: z.string().min(1), caCert: z.string().min(1) });

/** ServiceAccount of the controllers, by whose rights the service decides. */
const SERVICE_ACCOUNT = 'cdi-sa';
const TOKEN_SECONDS = 600;

/** What is needed to ask a SnapshotMetadata service; that it may be asked about a snapshot is the right to get it. */
export const metadataRights: readonly Right[] = [
  { resource: snapshotMetadataServices, verbs: ['get'] },
  { resource: tokenReviews, verbs: ['create'] },
  {
    resource: serviceAccounts,
    subresource: 'token',
    verbs: ['create'],
    within: 'installation',
    names: [SERVICE_ACCOUNT],
  },
];

/** A service that is connected to, and has to be closed. */
export interface OpenService extends SnapshotMetadata {
  close(): void;
}

/** Finds the services of drivers. */
export interface MetadataServices {
  /** Whether a driver has a service, as far as the cluster knows. */
  has(driver: string): Promise<boolean>;
  /** @throws TransferError where the driver has none that could be reached */
  open(driver: string): Promise<OpenService | undefined>;
}

interface ServicesContext {
  readonly client: KubeClient;
  readonly config: { readonly namespace: string };
}

/** The services that the cluster announces, which are asked with tokens of the controllers' own ServiceAccount. */
export class AnnouncedServices implements MetadataServices {
  readonly #context: ServicesContext;

  constructor(context: ServicesContext) {
    this.#context = context;
  }

  async has(driver: string): Promise<boolean> {
    return (await this.#specOf(driver)) !== undefined;
  }

  async open(driver: string): Promise<OpenService | undefined> {
    const spec = await this.#specOf(driver);
    if (!spec) return undefined;
    // gRPC takes megabytes, which clusters without such a driver never need.
    const { MetadataClient } = await import('../../snapshot-metadata/metadata-client.ts');
    const certificates = Buffer.from(spec.caCert, 'base64').toString();
    return new MetadataClient(
      { address: spec.address, certificates },
      { token: (signal) => this.#token(spec.audience, signal) },
    );
  }

  async #specOf(driver: string): Promise<z.infer<typeof serviceSpec> | undefined> {
    const found = await this.#context.client.get(snapshotMetadataServices, { namespace: '', name: driver });
    return found && serviceSpec.safeParse(found.spec).data;
  }

  /**
   * Returns a token that is good for a service, and for nothing else: whoever may announce a service must not get the
   * controllers' rights by naming the API server's own audience.
   *
   * @throws TransferError InvalidRequest
   */
  async #token(audience: string, signal: AbortSignal): Promise<string> {
    const { client, config } = this.#context;
    const { status } = await client.create(
      tokenRequests,
      {
        metadata: { namespace: config.namespace, name: SERVICE_ACCOUNT },
        spec: { audiences: [audience], expirationSeconds: TOKEN_SECONDS },
      },
      { signal, of: { resource: serviceAccounts, subresource: 'token' } },
    );
    const token = status?.token ?? '';
    // Without audiences, those of the API server are meant.
    const review = await client.create(tokenReviews, { spec: { token } }, { signal });
    if (!review.status?.authenticated) return token;
    throw new TransferError(
      'InvalidRequest',
      `a SnapshotMetadataService names the audience "${audience}", which is the API server's own, so that the service gets no token: it needs an audience of its own`,
    );
  }
}
