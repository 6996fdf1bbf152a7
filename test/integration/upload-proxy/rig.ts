import { createHash, type Hash } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { KubeConfig } from '@kubernetes/client-node';
import { calculateJwkThumbprint, type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { Agent, request } from 'undici';
import { stringify } from 'yaml';
import {
  configMaps,
  namespaces,
  type PersistentVolumeClaim,
  persistentVolumeClaims,
  secrets,
  services,
} from '../../../src/kube/builtin-resources.ts';
import { KubeClient } from '../../../src/kube/client.ts';
import {
  BUNDLE_KEY,
  bundleName,
  roleCertificates,
  TOKEN_ALGORITHM,
  TOKEN_ISSUER,
  TOKEN_VERIFICATION_KEY,
  TOKEN_VERIFICATION_SECRET,
  uploadClientCertificate,
} from '../../../src/protocol/installation.ts';
import { uploadServiceName } from '../../../src/protocol/object-names.ts';
import { closeWithConnections, listen } from '../../../src/server/listen.ts';
import { Authority, type KeyPair } from '../../cluster/pki.ts';
import { type ApiServer, startApiServer } from '../../support/api-server.ts';
import { objectsIn } from '../../support/deployed.ts';
import { Kubectl } from '../../support/kubectl.ts';

const PROXY_TOKEN = 'uploadproxy-token';

export const TEAM = 'team';
export const INSTALLATION = 'cdi';

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * The authorities and keys of an installation, in an API server of its own, where the addresses of Services are this
 * machine's.
 */
export class Rig {
  readonly api: ApiServer;
  readonly client: KubeClient;
  readonly authority: Authority;
  readonly #servers: Authority;
  readonly #clients: Authority;
  #signing: { privateKey: CryptoKey; jwk: JWK };
  #agent: Agent;
  #count = 0;

  private constructor(
    api: ApiServer,
    authorities: [Authority, Authority, Authority],
    signing: { privateKey: CryptoKey; jwk: JWK },
  ) {
    this.api = api;
    this.client = new KubeClient(api.kubeConfig());
    [this.authority, this.#servers, this.#clients] = authorities;
    this.#signing = signing;
    this.#agent = new Agent({ connect: { ca: this.authority.certificate } });
  }

  /** @param tokens of more users, who have no rights: token to name */
  static async start(tokens: Readonly<Record<string, string>> = {}): Promise<Rig> {
    // The whole of 127.0.0.0/8 is the loopback interface's.
    const api = await startApiServer({
      args: ['--service-cluster-ip-range=127.77.0.0/24'],
      tokens: { ...tokens, [PROXY_TOKEN]: 'system:serviceaccount:cdi:cdi-uploadproxy' },
    });
    const authorities = await Promise.all([
      Authority.create('uploadproxy authority'),
      Authority.create('uploadserver authority'),
      Authority.create('client authority'),
    ]);
    const rig = new Rig(api, authorities, await createSigningKey());
    for (const name of [TEAM, INSTALLATION]) await rig.client.create(namespaces, { metadata: { name } });
    const rights = objectsIn('base/upload-proxy.yaml').filter(({ kind }) =>
      /^(Cluster)?Role(Binding)?$/.test(kind ?? ''),
    );
    const kubectl = await Kubectl.create(api.kubeConfigPath);
    await kubectl.applyText(rights.map((object) => stringify(object)).join('---\n'));
    await kubectl.remove();
    return rig;
  }

  /** The proxy's access to the API server, with the rights that it is installed with. */
  get proxyAccess(): KubeConfig {
    return this.api.kubeConfig({ token: PROXY_TOKEN });
  }

  async stop(): Promise<void> {
    await this.#agent.destroy();
    await this.client.close();
    await this.api.stop();
  }

  /** Makes all that the controllers would make for the proxy. */
  async createKeys(): Promise<void> {
    const server = await this.authority.issue({ commonName: 'cdi-uploadproxy', names: ['localhost'] });
    const client = await this.#clients.issue({ commonName: uploadClientCertificate.commonName });
    await this.#writeSecret(roleCertificates.uploadproxy.secret, pair(server));
    await this.#writeSecret(uploadClientCertificate.secret, pair(client));
    await this.#writeKeySet([this.#signing.jwk]);
    await this.client.apply(
      configMaps,
      {
        metadata: { namespace: INSTALLATION, name: bundleName('uploadserver') },
        data: { [BUNDLE_KEY]: this.#servers.certificate },
      },
      { fieldManager: 'test' },
    );
  }

  /** Gives the proxy a certificate of another authority. */
  async renewServerCertificate(): Promise<Authority> {
    const other = await Authority.create('another uploadproxy authority');
    const server = await other.issue({ commonName: 'cdi-uploadproxy', names: ['localhost'] });
    await this.#writeSecret(roleCertificates.uploadproxy.secret, pair(server));
    return other;
  }

  /** Signs tokens with another key from now on, and has the proxy accept only that. */
  async replaceSigningKey(): Promise<void> {
    this.#signing = await createSigningKey();
    await this.#writeKeySet([this.#signing.jwk]);
  }

  async createClaim(
    annotations: Record<string, string> = { 'cdi.kubevirt.io/storage.upload.target': '' },
    spec: PersistentVolumeClaim['spec'] = {},
  ): Promise<PersistentVolumeClaim> {
    return this.client.create(persistentVolumeClaims, {
      metadata: { namespace: TEAM, name: `disk-${++this.#count}`, annotations },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec },
    });
  }

  async token(claim: PersistentVolumeClaim, seconds = 300): Promise<string> {
    const { name, namespace, uid } = claim.metadata ?? {};
    const { privateKey, jwk } = this.#signing;
    const resource = { group: '', version: 'v1', resource: 'persistentvolumeclaims' };
    return new SignJWT({ operation: 'Upload', name, namespace, uid, resource })
      .setProtectedHeader({ alg: TOKEN_ALGORITHM, kid: jwk.kid ?? '' })
      .setIssuer(TOKEN_ISSUER)
      .setExpirationTime(new Date(Date.now() + seconds * 1000))
      .sign(privateKey);
  }

  /** Makes the Service of a claim's upload server, and resolves to its address. */
  async createService(claimName: string): Promise<string> {
    const { spec } = await this.client.create(services, {
      metadata: { namespace: TEAM, name: uploadServiceName(claimName) },
      spec: { ports: [{ port: 8443 }], selector: {} },
    });
    return spec?.clusterIP ?? '';
  }

  /** What is mounted in the pod of a claim's upload server: the files and their content. */
  async mountedKeys(claimName: string): Promise<Record<string, string>> {
    const names = [`${uploadServiceName(claimName)}.${TEAM}.svc`];
    return { ...pair(await this.#servers.issue({ commonName: 'server', names })), 'ca.crt': this.#clients.certificate };
  }

  /** Starts an upload server that takes its client's certificate for that of the proxy. */
  async startServer(claimName: string, host: string, port: number, handler: Handler): Promise<StandIn> {
    const { 'tls.crt': cert, 'tls.key': key, 'ca.crt': ca } = await this.mountedKeys(claimName);
    const server = createServer(
      { cert, key, ca, requestCert: true, rejectUnauthorized: true, requestTimeout: 0 },
      handler,
    );
    server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
      response.writeContinue();
      handler(request, response);
    });
    return StandIn.listen(server, host, port);
  }

  /** Sends a request to the proxy. */
  async send(
    port: number,
    method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'OPTIONS' | 'DELETE',
    path: string,
    options: { token?: string; body?: Buffer | AsyncIterable<Buffer>; headers?: Record<string, string> } = {},
  ): Promise<{ status: number; headers: Record<string, string | string[] | undefined>; text: string }> {
    const { token, body, headers } = options;
    const answer = await request(`https://localhost:${port}${path}`, {
      method,
      dispatcher: this.#agent,
      headers: { ...headers, ...(token !== undefined && { authorization: `Bearer ${token}` }) },
      ...(body && { body: body as Buffer }),
    });
    return { status: answer.statusCode, headers: answer.headers, text: await answer.body.text() };
  }

  async #writeKeySet(keys: JWK[]): Promise<void> {
    await this.#writeSecret(TOKEN_VERIFICATION_SECRET, { [TOKEN_VERIFICATION_KEY]: JSON.stringify({ keys }) });
  }

  async #writeSecret(name: string, content: Record<string, string>): Promise<void> {
    const data = Object.fromEntries(
      Object.entries(content).map(([key, text]) => [key, Buffer.from(text).toString('base64')]),
    );
    await this.client.apply(secrets, { metadata: { namespace: INSTALLATION, name }, data }, { fieldManager: 'test' });
  }
}

/** A server in place of an upload server. */
export class StandIn {
  readonly port: number;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
  }

  static async listen(server: Server, host: string, port: number): Promise<StandIn> {
    await listen(server, { port, host });
    return new StandIn(server);
  }

  /** Takes no connections any more, and leaves those that there are alone, as a node does that has lost its network. */
  vanish(): void {
    this.#server.close();
  }

  /** Ends as a process does that is killed. */
  async kill(): Promise<void> {
    if (this.#server.listening) await closeWithConnections(this.#server);
    else this.#server.closeAllConnections();
  }
}

/** Reads a body to its end, and resolves to its SHA-256. */
export async function digestOf(body: IncomingMessage): Promise<string> {
  const hash: Hash = createHash('sha256');
  body.on('data', (chunk: Buffer) => hash.update(chunk));
  await once(body, 'end');
  return hash.digest('hex');
}

async function createSigningKey(): Promise<{ privateKey: CryptoKey; jwk: JWK }> {
  const { privateKey, publicKey } = await generateKeyPair(TOKEN_ALGORITHM, { extractable: true });
  const jwk = await exportJWK(publicKey);
  return { privateKey, jwk: { ...jwk, alg: TOKEN_ALGORITHM, use: 'sig', kid: await calculateJwkThumbprint(jwk) } };
}

const pair = ({ certificate, key }: KeyPair) => ({ 'tls.crt': certificate, 'tls.key': key });
