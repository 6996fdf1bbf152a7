import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { KubeConfig } from '@kubernetes/client-node';
import { Agent } from 'undici';
import type { KubeObject } from '../../../src/kube/resource.ts';

/** A write that the API server has accepted. */
export interface Write {
  readonly method: string;
  readonly path: string;
  /** What the API server answered: the object as it is then, or a Status. */
  readonly answer: KubeObject;
}

/**
 * A proxy in front of the API server through which one controller speaks, as the ServiceAccount of the controllers. It
 * is asked after each write, before the answer is passed on, whether to go on; if not, nothing passes any more, in
 * either direction: the world sees of the controller what it would see had it been killed at that moment, and the
 * controller does not learn that its last write was accepted.
 */
export class SeverableApi {
  readonly #server: Server;
  readonly #upstream: Agent;
  readonly #origin: string;
  readonly #mayGoOn: (write: Write) => boolean;
  readonly #severed = Promise.withResolvers<void>();
  #isSevered = false;

  private constructor(server: Server, kubeConfig: KubeConfig, tls: object, mayGoOn: (write: Write) => boolean) {
    this.#server = server;
    this.#origin = kubeConfig.getCurrentCluster()?.server ?? '';
    this.#upstream = new Agent({ connect: tls, bodyTimeout: 0 });
    this.#mayGoOn = mayGoOn;
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      // Either side may go at any time; the other finds out by the end of its connection.
      this.#forward(request, response).catch(() => response.destroy());
    });
  }

  /** @param mayGoOn is told each accepted write but those of leases and events, which are not part of any work */
  static async start(kubeConfig: KubeConfig, mayGoOn: (write: Write) => boolean): Promise<SeverableApi> {
    const options: { ca?: Buffer; cert?: Buffer; key?: Buffer } = {};
    await kubeConfig.applyToHTTPSOptions(options);
    const { ca, cert, key } = options;
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new SeverableApi(server, kubeConfig, { ca, cert, key }, mayGoOn);
  }

  /** What the controller connects with. */
  kubeConfig(): KubeConfig {
    const { port } = this.#server.address() as AddressInfo;
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromClusterAndUser(
      { name: 'severable', server: `http://127.0.0.1:${port}`, skipTLSVerify: true },
      { name: 'severable' },
    );
    return kubeConfig;
  }

  /** Resolves when nothing passes any more. */
  get severed(): Promise<void> {
    return this.#severed.promise;
  }

  sever(): void {
    this.#isSevered = true;
    this.#server.closeAllConnections();
    this.#severed.resolve();
  }

  async close(): Promise<void> {
    this.sever();
    await new Promise((resolve) => this.#server.close(resolve));
    await this.#upstream.destroy();
  }

  async #forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url: path = '/', headers } = request;
    const isWrite = method !== 'GET' && !/\/(leases|events)(\/|\?|$)/.test(path);
    const body = method === 'GET' ? null : await buffer(request);
    if (this.#isSevered) return void response.destroy();
    const answer = await this.#upstream.request({
      origin: this.#origin,
      method,
      path,
      headers: Object.fromEntries([
        // With what the controllers may do, and bounded as they are.
        ['impersonate-user', 'system:serviceaccount:cdi:cdi-sa'],
        ...['accept', 'content-type', 'user-agent'].flatMap((name): [string, string][] => {
          const value = headers[name];
          return typeof value === 'string' ? [[name, value]] : [];
        }),
      ]),
      body,
    });
    const head = { 'content-type': String(answer.headers['content-type'] ?? 'application/json') };
    if (!isWrite) {
      response.writeHead(answer.statusCode, head);
      response.flushHeaders();
      await pipeline(answer.body, response);
      return;
    }
    const text = await answer.body.text();
    if (answer.statusCode < 300 && !this.#mayGoOn({ method, path, answer: JSON.parse(text) as KubeObject }))
      this.sever();
    if (this.#isSevered) response.destroy();
    else response.writeHead(answer.statusCode, head).end(text);
  }
}
