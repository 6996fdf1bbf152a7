import type { ConnectionOptions } from 'node:tls';
import type { Dispatcher } from 'undici';
import type { ConnectionTimeouts, DirectAnswer, DirectRequest } from './direct/connection.ts';
import type { AcceptsNetwork } from './direct/lookup-within.ts';
import { NetworkRefused } from './direct/network-refused.ts';
import { LONGEST_FIELDS } from './head-limits.ts';
import { networkOfHost } from './network.ts';

export interface ProxiedClientOptions {
  timeouts: ConnectionTimeouts;
  /** TLS options for an https URL. */
  tls: (url: URL) => Promise<ConnectionOptions>;
  /** TLS options for an https proxy, independent of the settings for servers behind it. */
  proxyTls: () => Promise<ConnectionOptions>;
  signal?: AbortSignal | undefined;
}

/** Makes requests through proxies. */
export class ProxiedClient {
  readonly #options: ProxiedClientOptions;
  /** Dispatchers by protocol, certificate verification, and proxy; each is created once, when it is first needed. */
  readonly #agents = new Map<string, Promise<Dispatcher>>();

  constructor(options: ProxiedClientOptions) {
    this.#options = options;
  }

  /**
   * @param accepts which networks the request may lead to; names that only the proxy resolves count as public
   * @param ends ends this request
   * @throws NetworkRefused, and the errors of undici
   */
  async ask(
    url: URL,
    request: DirectRequest,
    proxy: URL,
    accepts: AcceptsNetwork,
    ends?: AbortSignal,
  ): Promise<DirectAnswer> {
    const network = networkOfHost(url.hostname) ?? 'public';
    if (!accepts(network)) throw new NetworkRefused(network);
    const agent = await this.#agentFor(url, proxy);
    const signal = ends ?? this.#options.signal;
    const { statusCode, headers, body } = await agent.request({
      origin: url.origin,
      path: url.pathname + url.search,
      ...request,
      ...(signal === undefined ? {} : { signal }),
    });
    // An abandoned body may still report that its connection broke.
    body.on('error', () => {});
    return { status: statusCode, network, headers, body };
  }

  async close(): Promise<void> {
    for (const creating of this.#agents.values()) await (await creating).destroy();
  }

  async #agentFor(url: URL, proxy: URL): Promise<Dispatcher> {
    const requestTls = url.protocol === 'https:' ? await this.#options.tls(url) : {};
    const key = `${url.protocol} ${requestTls.rejectUnauthorized ?? true} ${proxy.href}`;
    let agent = this.#agents.get(key);
    if (agent === undefined) {
      agent = this.#createAgent(requestTls, proxy);
      this.#agents.set(key, agent);
    }
    return agent;
  }

  async #createAgent(requestTls: ConnectionOptions, proxy: URL): Promise<Dispatcher> {
    const { timeouts, proxyTls } = this.#options;
    // Loading it is a quarter of an import's start, and most imports do not need it.
    const { Pool, ProxyAgent } = await import('undici');
    // Several requests over one connection are no faster than one.
    const limits = {
      headersTimeout: timeouts.headers,
      bodyTimeout: timeouts.body,
      maxHeaderSize: LONGEST_FIELDS,
      allowH2: false,
    };
    const common = { timeout: timeouts.connect, allowH2: false };
    return new ProxyAgent({
      uri: proxy.href,
      requestTls: { ...common, ...requestTls },
      proxyTls: { ...common, ...(proxy.protocol === 'https:' ? await proxyTls() : {}) },
      // Requests that are forwarded and not tunnelled would have no time limits otherwise.
      factory: (origin: string | URL, options: object) => new Pool(origin, { ...options, ...limits }),
      ...limits,
    });
  }
}
