import type { TLSSocket } from 'node:tls';
import { persistentVolumeClaims, services } from '../../kube/builtin-resources.ts';
import type { KubeClient } from '../../kube/client.ts';
import { toError } from '../../kube/errors.ts';
import { keyToString, type ObjectKey } from '../../kube/key.ts';
import { uploadServiceName } from '../../protocol/object-names.ts';
import { COPY_PORT } from '../../protocol/transfer-pod.ts';
import type { UploadTokenClaims } from '../../protocol/upload-token.ts';
import type { KeyMaterial } from './key-material.ts';
import { Refusal } from './refusal.ts';
import { connectToServer, takesConnections, type UploadServerAddress } from './server-connection.ts';
import { writtenClaimOf } from './upload-target.ts';

/** Finds and reaches the upload servers of claims. */
export class UploadServers {
  readonly #client: KubeClient;
  readonly #keys: Pick<KeyMaterial, 'client'>;
  readonly #port: number;

  /** @param port that upload servers listen on */
  constructor(client: KubeClient, keys: Pick<KeyMaterial, 'client'>, port = COPY_PORT) {
    this.#client = client;
    this.#keys = keys;
    this.#port = port;
  }

  /**
   * Returns the claim that an upload is written to.
   *
   * @throws Refusal as {@link writtenClaimOf} does, 503 while the API server does not answer
   */
  async writtenClaim(token: UploadTokenClaims, signal: AbortSignal): Promise<ObjectKey> {
    const { namespace, name } = token;
    const claim = await this.#ask(() => this.#client.get(persistentVolumeClaims, { namespace, name }, { signal }));
    return writtenClaimOf(claim, token);
  }

  /**
   * Connects to the upload server of a claim.
   *
   * @throws Refusal 503, with what is missing
   */
  async connect(written: ObjectKey, signal: AbortSignal): Promise<TLSSocket> {
    const address = await this.#address(written, signal);
    const secureContext = this.#keys.client;
    if (!secureContext) throw new Refusal(503, 'the upload proxy has no certificate for upload servers yet');
    try {
      return await connectToServer(address, secureContext, signal);
    } catch (error) {
      signal.throwIfAborted();
      throw new Refusal(
        503,
        `the upload server of claim ${keyToString(written)} cannot be reached: ${toError(error).message}`,
        {
          cause: error,
        },
      );
    }
  }

  /** Reports whether the upload server of a claim takes connections. */
  async isThere(written: ObjectKey, signal: AbortSignal): Promise<boolean> {
    try {
      return await takesConnections(await this.#address(written, signal), signal);
    } catch {
      return false;
    }
  }

  async #address(written: ObjectKey, signal: AbortSignal): Promise<UploadServerAddress> {
    const { namespace } = written;
    const name = uploadServiceName(written.name);
    const service = await this.#ask(() => this.#client.get(services, { namespace, name }, { signal }));
    const host = service?.spec?.clusterIP;
    if (!host) {
      throw new Refusal(503, `the upload server of claim ${keyToString(written)} has no Service ${name} yet`);
    }
    return { host, port: this.#port, serverName: `${name}.${namespace}.svc` };
  }

  async #ask<T>(get: () => Promise<T>): Promise<T> {
    try {
      return await get();
    } catch (error) {
      throw new Refusal(503, `the API server cannot be asked about the claim: ${toError(error).message}`, {
        cause: error,
      });
    }
  }
}
