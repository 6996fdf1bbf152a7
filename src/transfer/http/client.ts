import type { IncomingHttpHeaders } from 'node:http';
import { env } from 'node:process';
import { Agent, Pool, ProxyAgent, type Dispatcher } from 'undici';
import { TransferError } from '../errors.ts';
import { trustedCertificates } from './certificates.ts';
import { connectionFailure, proxyFailure } from './failures.ts';
import { describeUrl } from './location.ts';
import { Proxies, proxiesOf } from './proxies.ts';

/** Short enough for a failure to show within seconds. */
const CONNECT_TIMEOUT = 8_000;
/** A server may look long for an object before it answers. */
const HEADERS_TIMEOUT = 60_000;
const MOST_REDIRECTS = 10;
const redirects = new Set([301, 302, 303, 307, 308]);

export interface HttpClientOptions {
  /** Folders with PEM certificates to trust besides the system's. */
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

export interface HttpResponse {
  status: number;
  headers: IncomingHttpHeaders;
  /** Where redirects ended. */
  url: URL;
  body: Dispatcher.ResponseData['body'];
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

  /** @throws TransferError InvalidRequest where the environment names something that is no proxy */
  constructor(options: HttpClientOptions) {
    this.#options = options;
    this.#proxies = new Proxies(proxiesOf(env));
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
      if (!redirects.has(answer.statusCode) || target === undefined) {
        return { status: answer.statusCode, headers: answer.headers, url: current, body: answer.body };
      }
      await answer.body.dump();
      current = redirectTarget(String(target), current);
    }
    throw new TransferError('TooManyRedirects', `${describeUrl(url)} redirects more than ${MOST_REDIRECTS} times`);
  }

  async close(): Promise<void> {
    for (const creating of this.#agents.values()) {
      const agent = await creating;
      await agent.destroy();
    }
  }

  async #once(
    url: URL,
    request: Pick<Dispatcher.RequestOptions, 'method' | 'headers' | 'body'>,
  ): Promise<Dispatcher.ResponseData> {
    const proxy = this.#proxies.for(url);
    const agent = await this.#agentFor(url.protocol === 'https:', proxy);
    try {
      const { signal } = this.#options;
      const answer = await agent.request({
        origin: url.origin,
        path: url.pathname + url.search,
        ...request,
        ...(signal === undefined ? {} : { signal }),
      });
      // An abandoned body may still report that its connection broke.
      answer.body.on('error', () => {});
      return answer;
    } catch (error) {
      this.#options.signal?.throwIfAborted();
      throw proxy === undefined ? connectionFailure(error, url) : proxyFailure(error, url, proxy);
    }
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
    const { certificatesDirectories = [], insecureSkipVerify = false, stallTimeout = 30_000 } = this.#options;
    // Several requests over one connection are no faster than one.
    const limits = { headersTimeout: HEADERS_TIMEOUT, bodyTimeout: stallTimeout, allowH2: false };
    const needsCertificates = (secure && !insecureSkipVerify) || proxy?.protocol === 'https:';
    const trust = needsCertificates ? { ca: await trustedCertificates(certificatesDirectories) } : {};
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
}

function redirectTarget(location: string, from: URL): URL {
  const target = URL.parse(location, from.href);
  if (target === null || (target.protocol !== 'http:' && target.protocol !== 'https:')) {
    throw new TransferError('ProtocolViolation', `${describeUrl(from)} redirects to something that is no http(s) URL`);
  }
  return target;
}
