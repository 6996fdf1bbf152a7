import { isIP } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { stateAnnotation } from '../../api/annotations.ts';
import { type PersistentVolumeClaim, persistentVolumeClaims, services } from '../../kube/builtin-resources.ts';
import type { KubeClient } from '../../kube/client.ts';
import { toError } from '../../kube/errors.ts';
import { keyToString } from '../../kube/key.ts';
import { uploadServiceName } from '../../protocol/object-names.ts';
import { COPY_PORT } from '../../protocol/transfer-pod.ts';
import type { UploadTokenClaims } from '../../protocol/upload-token.ts';
import type { KeyMaterial } from './key-material.ts';
import { Refusal } from './refusal.ts';
import { connectToServer, takesConnections, type UploadServerAddress } from './server-connection.ts';
import { writtenClaimOf } from './upload-target.ts';

/** The upload server of a claim, as it was found. */
export interface UploadServer extends UploadServerAddress {
  /** What the controllers count on the claim: another number is that of another server in its place. */
  readonly restarts: string;
}

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
   * Finds the upload server of the claim that a token is for. It need not be ready.
   *
   * @throws Refusal as {@link writtenClaimOf} does, 503 without a Service or while the API server does not answer
   */
  async find(token: UploadTokenClaims, signal: AbortSignal): Promise<UploadServer> {
    try {
      const claim = await this.#claim(token, signal);
      const { namespace, name } = writtenClaimOf(claim, token);
      const service = { namespace, name: uploadServiceName(name) };
      const { spec } = (await this.#client.get(services, service, { signal })) ?? {};
      // A headless Service has the word None.
      if (!spec?.clusterIP || isIP(spec.clusterIP) === 0) {
        const key = keyToString(token);
        throw new Refusal(503, `the upload server of claim ${key} has no Service ${keyToString(service)} yet`);
      }
      const serverName = `${service.name}.${namespace}.svc`;
      return { host: spec.clusterIP, port: this.#port, serverName, restarts: restartsOf(claim) };
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof Refusal) throw error;
      throw new Refusal(503, `the API server cannot be asked about the claim: ${toError(error).message}`, {
        cause: error,
      });
    }
  }

  /**
   * Connects to an upload server.
   *
   * @throws Refusal 503, with what is missing
   */
  async connect(server: UploadServer, signal: AbortSignal): Promise<TLSSocket> {
    const secureContext = this.#keys.client;
    if (!secureContext) throw new Refusal(503, 'the upload proxy has no certificate for upload servers yet');
    try {
      return await connectToServer(server, secureContext, signal);
    } catch (error) {
      signal.throwIfAborted();
      const problem = toError(error).message;
      throw new Refusal(503, `the upload server ${server.serverName} cannot be reached: ${problem}`, { cause: error });
    }
  }

  /**
   * Reports whether a server that was found is still there: it takes connections, and no other one has been made in its
   * place. While the API server does not answer, only the former is asked.
   */
  async isThere(server: UploadServer, token: UploadTokenClaims, signal: AbortSignal): Promise<boolean> {
    if (!(await takesConnections(server, signal))) return false;
    try {
      const claim = await this.#claim(token, signal);
      return claim?.metadata?.uid === token.uid && restartsOf(claim) === server.restarts;
    } catch {
      return true;
    }
  }

  async #claim(
    { namespace, name }: UploadTokenClaims,
    signal: AbortSignal,
  ): Promise<PersistentVolumeClaim | undefined> {
    return this.#client.get(persistentVolumeClaims, { namespace, name }, { signal });
  }
}

function restartsOf(claim: PersistentVolumeClaim | undefined): string {
  return claim?.metadata?.annotations?.[stateAnnotation.podRestarts] ?? '0';
}
