import type { IncomingHttpHeaders } from 'node:http';
import { env } from 'node:process';
import { createSecureContext, type ConnectionOptions, type SecureContext } from 'node:tls';
import type { Dispatcher } from 'undici';
import { TransferError } from '../errors.ts';
import type { HttpBody } from './body.ts';
import { trustedCertificates } from './certificates.ts';
import { DirectClient } from './direct/client.ts';
import { connectionFailure, proxyFailure } from './failures.ts';
import { describeUrl } from './location.ts';
import { Proxies, proxiesOf } from './proxies.ts';

/** Short enough for a failure to show within seconds. */
const CONNECT_TIMEOUT = 8_000;
/** A server may look long for an object before it answers. */
const HEADERS_TIMEOUT = 60_000;
const STALL_TIMEOUT = 30_000;
const MOST_REDIRECTS = 10;
const redirects = new Set([301, 302, 303, 307, 308]);

export interface HttpClientOptions {
  /** Folders of PEM certificates to trust besides the system's, or files of such. */
  certificatesDirectories?: readonly string[];
  /** Accept any certificate. */
  insecureSkipVerify?: boolean;
  /** How long a body may stall, in milliseconds. */
  stallTimeout?: number;
  signal?: AbortSignal | undefined;
}

export interface HttpRequest {
  method?: 'GET' | 'HEAD' | 'POST';
  /** Sent to the origin of the first URL only. */
  body?: string;
  /** Sent wherever redirects lead. */
  headers?: Record<string, string>;
  /** Sent to the origin of the first URL only. */
  confidentialHeaders?: Record<string, string>;
}

interface SingleRequest {
  method: 'GET' | 'HEAD' | 'POST';
  headers: Record<string, string>;
  body?: string;
}

export interface HttpResponse {
  status: number;
  headers: IncomingHttpHeaders;
  /** Where redirects ended. */
  url: URL;
  body: HttpBody;
}

/**
 * Follows redirects, goes through proxies, trusts the right certificates, and says what went wrong. Bodies come as they
 * were sent.
 */
export class HttpClient {
  readonly #options: HttpClientOptions;
  readonly #proxies: Proxies;
  /** By protocol and proxy: reading the system's certificates takes a while, and plain http needs none. */
  readonly #agents = new Map<string, Promise<Dispatcher>>();
  /** For what may be large. */
  readonly #direct: DirectClient;
  #trusting: Promise<{ secureContext: SecureContext }> | undefined;

  /** @throws TransferError InvalidRequest where the environment names something that is no proxy */
  constructor(options: HttpClientOptions) {
    this.#options = options;
    this.#proxies = new Proxies(proxiesOf(env));
    const { stallTimeout = STALL_TIMEOUT, signal } = options;
    const timeouts = { connect: CONNECT_TIMEOUT, headers: HEADERS_TIMEOUT, body: stallTimeout };
    this.#direct = new DirectClient({ timeouts, tls: () => this.#tls(), signal });
  }

  /** @throws TransferError for every failure to get an answer; any status is an answer */
  async request(url: URL, request: HttpRequest): Promise<HttpResponse> {
    const { method = 'GET', headers, confidentialHeaders, body } = request;
    let current = url;
    for (let hops = 0; hops <= MOST_REDIRECTS; hops += 1) {
      const atFirst = current.origin === url.origin;
      const answer = await this.#once(current, {
        method,
        headers: {
          'user-agent': 'diskpress',
          'accept-encoding': 'identity',
          ...headers,
          ...(atFirst ? confidentialHeaders : {}),
        },
        ...(atFirst && body !== undefined ? { body } : {}),
      });
      const target = answer.headers.location;
      if (!redirects.has(answer.status) || target === undefined) {
        return { ...answer, url: current };
      }
      await answer.body.dump();
      current = redirectTarget(String(target), current);
    }
    throw new TransferError('TooManyRedirects', `${describeUrl(url)} redirects more than ${MOST_REDIRECTS} times`);
  }

  async close(): Promise<void> {
    this.#direct.close();
    for (const creating of this.#agents.values()) {
      const agent = await creating;
      await agent.destroy();
    }
  }

  async #once(url: URL, request: SingleRequest): Promise<Omit<HttpResponse, 'url'>> {
    const proxy = this.#proxies.for(url);
    try {
      // As many bytes as there are in a disk are received by another way, which knows no proxies.
      if (proxy === undefined && request.method === 'GET') return await this.#direct.get(url, request.headers);
      return await this.#dispatch(url, request, proxy);
    } catch (error) {
      this.#options.signal?.throwIfAborted();
      throw proxy === undefined ? connectionFailure(error, url) : proxyFailure(error, url, proxy);
    }
  }

  async #dispatch(url: URL, request: SingleRequest, proxy: URL | undefined): Promise<Omit<HttpResponse, 'url'>> {
    const agent = await this.#agentFor(url.protocol === 'https:', proxy);
    const { signal } = this.#options;
    const { statusCode, headers, body } = await agent.request({
      origin: url.origin,
      path: url.pathname + url.search,
      ...request,
      ...(signal === undefined ? {} : { signal }),
    });
    // An abandoned body may still report that its connection broke.
    body.on('error', () => {});
    return { status: statusCode, headers, body };
  }

  #agentFor(secure: boolean, proxy: URL | undefined): Promise<Dispatcher> {
    const key = `${secure} ${proxy?.href ?? ''}`;
    let agent = this.#agents.get(key);
    if (agent === undefined) {
      agent = this.#createAgent(secure, proxy);
      this.#agents.set(key, agent);
    }
    return agent;
  }

  async #createAgent(secure: boolean, proxy: URL | undefined): Promise<Dispatcher> {
    const { insecureSkipVerify = false, stallTimeout = STALL_TIMEOUT } = this.#options;
    // Loading it is a quarter of an import's start, and most imports need none of it.
    const { Agent, Pool, ProxyAgent } = await import('undici');
    // Several requests over one connection are no faster than one.
    const limits = { headersTimeout: HEADERS_TIMEOUT, bodyTimeout: stallTimeout, allowH2: false };
    const needsCertificates = (secure && !insecureSkipVerify) || proxy?.protocol === 'https:';
    const trust = needsCertificates ? await this.#trust() : {};
    const tls = { timeout: CONNECT_TIMEOUT, rejectUnauthorized: !insecureSkipVerify, allowH2: false, ...trust };
    if (proxy === undefined) return new Agent({ connect: tls, ...limits });
    return new ProxyAgent({
      uri: proxy.href,
      requestTls: tls,
      // What a user says of a server's certificate is not said of the proxy's.
      proxyTls: { ...tls, rejectUnauthorized: true },
      // What is forwarded and not tunnelled would have no time limits otherwise.
      factory: (origin: string | URL, options: object) => new Pool(origin, { ...options, ...limits }),
      ...limits,
    });
  }

  async #tls(): Promise<ConnectionOptions> {
    if (this.#options.insecureSkipVerify) return { rejectUnauthorized: false };
    return this.#trust();
  }

  /** Read once: there are many. */
  #trust(): Promise<{ secureContext: SecureContext }> {
    const { certificatesDirectories = [] } = this.#options;
    this.#trusting ??= trustedCertificates(certificatesDirectories).then((ca) => ({
      secureContext: createSecureContext({ ca }),
    }));
    return this.#trusting;
  }
}

function redirectTarget(location: string, from: URL): URL {
  const target = URL.parse(location, from.href);
  if (target === null || (target.protocol !== 'http:' && target.protocol !== 'https:')) {
    throw new TransferError('ProtocolViolation', `${describeUrl(from)} redirects to something that is no http(s) URL`);
  }
  return target;
}
