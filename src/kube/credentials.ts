import type { AgentOptions, RequestOptions } from 'node:https';
import { createSecureContext } from 'node:tls';
import { isDeepStrictEqual } from 'node:util';
import { KubeConfig } from '@kubernetes/client-node';
import { Agent, type Dispatcher, ProxyAgent, Socks5ProxyAgent } from 'undici';

/**
 * Lifetime of the contents of a kubeconfig's files, plugins and token files before they are read again, in
 * milliseconds.
 */
const LIFETIME_MILLISECONDS = 30_000;

const CONNECT = {
  // Each watch needs a connection of its own: over HTTP/2, one stalled connection would stall all of them.
  allowH2: false,
  // Keep-alive detects a peer that is gone (a node that lost power) while nothing else is sent.
  keepAlive: true,
  keepAliveInitialDelay: 15_000,
  timeout: 10_000,
};
/** Options of the connection pools; an idle connection is kept for the next request for this many milliseconds. */
const POOL = { allowH2: false, keepAliveTimeout: 30_000 };
/**
 * Number of connections for requests other than watches. Without a limit, each burst of requests would open connections
 * that are idle afterwards, and to open one takes both ends longer than most requests.
 */
const REQUEST_CONNECTIONS = 24;

/** What a request needs to reach the API server as this user. */
export interface Access {
  readonly dispatcher: Dispatcher;
  /** Without a limit of connections: for watches, which keep them, and for leases, which must not wait for others. */
  readonly unlimitedDispatcher: Dispatcher;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * The current user's access to the current cluster of a kubeconfig. Certificates, exec plugins and token files are read
 * again while the process runs, because they rotate.
 */
export class Credentials {
  /** Origin and path prefix of the API server. */
  readonly server: URL;
  readonly #kubeConfig: KubeConfig;
  #tls: AgentOptions | undefined;
  #access: Promise<Access> | undefined;
  #current: Access | undefined;
  #readAt = 0;

  /** @throws Error if the kubeconfig's current context names no cluster */
  constructor(kubeConfig: KubeConfig) {
    const cluster = kubeConfig.getCurrentCluster();
    if (!cluster) {
      throw new Error(
        `the kubeconfig's current context (${kubeConfig.getCurrentContext() || 'none'}) names no cluster`,
      );
    }
    this.server = new URL(cluster.server);
    this.#kubeConfig = kubeConfig;
  }

  /**
   * Returns the current access.
   *
   * @param renew whether to read everything again, because the server rejected the current credentials
   */
  async access(renew = false): Promise<Access> {
    const now = performance.now();
    if (!this.#access || renew || now - this.#readAt > LIFETIME_MILLISECONDS) {
      this.#readAt = now;
      this.#access = this.#read(renew).catch((error: unknown) => {
        this.#access = undefined;
        throw error;
      });
    }
    return this.#access;
  }

  /** Closes the connections, which aborts the requests in flight. */
  async close(): Promise<void> {
    await Promise.all([this.#current?.dispatcher.destroy(), this.#current?.unlimitedDispatcher.destroy()]);
  }

  async #read(renew: boolean): Promise<Access> {
    const options: RequestOptions & { headers: Record<string, string> } = { headers: {} };
    await (renew ? withoutMemory(this.#kubeConfig) : this.#kubeConfig).applyToHTTPSOptions(options);
    const { headers, auth, ca, cert, key, passphrase, pfx, rejectUnauthorized, servername } = options;
    const tls = { ca, cert, key, passphrase, pfx, rejectUnauthorized, servername };
    if (auth) headers['Authorization'] = `Basic ${Buffer.from(auth).toString('base64')}`;
    const current = this.#current;
    if (current && isDeepStrictEqual(tls, this.#tls)) {
      this.#current = { ...current, headers };
    } else {
      // First, because a certificate that is just being written cannot be read, and is tried again.
      const dispatcher = this.#dispatcher(tls, { ...POOL, connections: REQUEST_CONNECTIONS });
      this.#current = { dispatcher, unlimitedDispatcher: this.#dispatcher(tls, POOL), headers };
      this.#tls = tls;
      // Requests in flight finish with the certificates that they started with.
      current?.dispatcher.close().catch(() => undefined);
      current?.unlimitedDispatcher.close().catch(() => undefined);
    }
    return this.#current;
  }

  #dispatcher(tls: AgentOptions, pool: typeof POOL & { readonly connections?: number }): Dispatcher {
    const options = this.#kubeConfig.createDispatcherOptions(this.#kubeConfig.getCurrentCluster(), tls);
    switch (options.type) {
      case 'proxy':
        return new ProxyAgent({ ...pool, uri: options.uri, requestTls: { ...options.requestTls, ...CONNECT } });
      case 'socks':
        return new Socks5ProxyAgent(options.uri, { ...pool, requestTls: { ...options.requestTls, ...CONNECT } });
      case 'agent':
        // Otherwise, the certificates would be read for each connection, which takes as long as a handshake.
        return new Agent({
          ...pool,
          connect: { ...options.connect, ...CONNECT, secureContext: createSecureContext(tls) },
        });
      case 'none':
        return new Agent({ ...pool, connect: CONNECT });
    }
  }
}

/** Returns the same configuration without the tokens that the original caches. */
function withoutMemory({ clusters, contexts, currentContext, users }: KubeConfig): KubeConfig {
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromOptions({ clusters, contexts, currentContext, users });
  return kubeConfig;
}
