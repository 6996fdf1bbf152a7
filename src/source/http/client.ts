import type { IncomingHttpHeaders } from 'node:http';
import { env } from 'node:process';
import { TransferError } from '../../base/errors.ts';
import type { HttpBody } from './body.ts';
import { DirectClient } from './direct/client.ts';
import type { DirectAnswer, DirectRequest } from './direct/connection.ts';
import { NetworkRefused } from './direct/network-refused.ts';
import { connectionFailure, proxyFailure } from './failures.ts';
import { describeUrl } from './location.ts';
import { mayLead, type Network } from './network.ts';
import { Pace } from './pace.ts';
import { PacedBody } from './paced-body.ts';
import type { Place } from './place.ts';
import { ProxiedClient } from './proxied-client.ts';
import { Proxies, proxiesOf, type ProxySettings } from './proxies.ts';
import { addressRefused, redirectRefused, redirectTarget, type Referrer } from './redirect.ts';
import type { LowestRate } from './too-slow.ts';
import { Trust, type TrustOptions } from './trust.ts';

/** Milliseconds to connect, short enough for a failure to show within seconds. */
const CONNECT_TIMEOUT_MILLISECONDS = 8_000;
/** Milliseconds until the head of a response. A server may need long to find an object. */
const HEADERS_TIMEOUT_MILLISECONDS = 60_000;
const STALL_TIMEOUT_MILLISECONDS = 30_000;
/** The lowest accepted rate; below it, a gigabyte would take five days. */
const LOWEST_RATE: LowestRate = { bytes: 256 * 1024, within: 120_000 };
/**
 * Milliseconds that a server may take for each response head before it counts as waiting for bytes: many requests are
 * for few bytes.
 */
const ORDINARY_HEAD = 5_000;
const MOST_REDIRECTS = 10;
const redirects = new Set([301, 302, 303, 307, 308]);

export interface HttpClientOptions extends TrustOptions {
  /** How long a body may be silent, in milliseconds. */
  stallTimeout?: number;
  /** The lowest rate of everything that is read, together. */
  lowestRate?: LowestRate;
  /**
   * Whether redirects may lead to more internal networks than that of the response: from public addresses to private
   * ones, for example.
   */
  followsInternalRedirects?: boolean;
  /** Networks that no request may lead to, whoever names them; by default none. */
  refusedNetworks?: readonly Network[] | undefined;
  /** The proxies to use; by default those in the environment. */
  proxies?: ProxySettings | undefined;
  /** Bytes of each of the two buffers that a connection receives into; less than by default, where there are many. */
  receiveBuffer?: number;
  signal?: AbortSignal | undefined;
}

export interface HttpRequest {
  method?: 'GET' | 'HEAD' | 'POST' | 'OPTIONS';
  /** The body, sent to the origin of the first URL only. */
  body?: string;
  /** Headers that are sent wherever redirects lead; they take precedence over the confidential ones. */
  headers?: Record<string, string>;
  /** Headers that are sent to the origin of the first URL only, and not again once a redirect has led away from it. */
  confidentialHeaders?: Record<string, string>;
  /** The response that named the URL, where the user did not. The URL is then restricted as a redirect is. */
  referrer?: Referrer | undefined;
  /** Where redirects led an earlier request for the same URL; the request goes there directly. */
  place?: Place | undefined;
  /** Ends this request and the body of its answer, besides the signal of the client. */
  signal?: AbortSignal | undefined;
}

export interface HttpResponse extends DirectAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  /** The URL after all redirects. */
  url: URL;
  /** Where redirects ended; undefined where there were none. */
  place: Place | undefined;
  body: HttpBody;
}

/**
 * An HTTP client that follows redirects, uses proxies, trusts the configured certificates, and explains failures.
 * Bodies are passed on as they were sent.
 */
export class HttpClient {
  readonly #options: HttpClientOptions;
  readonly #proxies: Proxies;
  readonly #direct: DirectClient;
  readonly #proxied: ProxiedClient;
  readonly #pace: Pace;

  /** @throws TransferError InvalidRequest where an invalid proxy is named */
  constructor(options: HttpClientOptions) {
    this.#options = options;
    this.#proxies = new Proxies(options.proxies ?? proxiesOf(env));
    const { stallTimeout = STALL_TIMEOUT_MILLISECONDS, lowestRate = LOWEST_RATE, receiveBuffer, signal } = options;
    const timeouts = {
      connect: CONNECT_TIMEOUT_MILLISECONDS,
      headers: HEADERS_TIMEOUT_MILLISECONDS,
      body: stallTimeout,
    };
    const trust = new Trust(options);
    const tls = (url: URL) => trust.of(url);
    this.#direct = new DirectClient({ timeouts, tls, receiveBuffer, signal });
    this.#proxied = new ProxiedClient({ timeouts, tls, proxyTls: () => trust.verified(), signal });
    this.#pace = new Pace(lowestRate);
  }

  /** @throws TransferError for every failure to get a response; a response of any status is none */
  async request(url: URL, request: HttpRequest): Promise<HttpResponse> {
    const { method = 'GET', headers, confidentialHeaders, body, signal } = request;
    let { place } = request;
    let referrer = place?.referrer ?? request.referrer;
    let current = place?.url ?? url;
    let atFirst = place?.isAtFirstOrigin ?? true;
    for (let hops = 0; hops <= MOST_REDIRECTS; hops += 1) {
      atFirst &&= current.origin === url.origin;
      const asked: DirectRequest = {
        method,
        headers: {
          'user-agent': 'diskpress',
          'accept-encoding': 'identity',
          ...(atFirst ? confidentialHeaders : {}),
          ...headers,
        },
        ...(atFirst && body !== undefined ? { body } : {}),
      };
      const answer = await this.#once(current, asked, referrer, signal);
      const target = answer.headers.location;
      if (!redirects.has(answer.status) || target === undefined) {
        return { ...answer, url: current, place, body: new PacedBody(answer.body, this.#pace) };
      }
      await new PacedBody(answer.body, this.#pace).dump();
      referrer = { url: current, network: answer.network };
      current = redirectTarget(target, current);
      place = { url: current, referrer, isAtFirstOrigin: atFirst && current.origin === url.origin };
    }
    throw new TransferError('TooManyRedirects', `${describeUrl(url)} redirects more than ${MOST_REDIRECTS} times`);
  }

  async close(): Promise<void> {
    this.#direct.close();
    await this.#proxied.close();
  }

  async #once(
    url: URL,
    request: DirectRequest,
    referrer: Referrer | undefined,
    ends: AbortSignal | undefined,
  ): Promise<DirectAnswer> {
    const { signal, followsInternalRedirects = false, refusedNetworks = [] } = this.#options;
    ends?.throwIfAborted();
    const proxy = this.#proxies.for(url);
    const accepts = (network: Network): boolean =>
      !refusedNetworks.includes(network) &&
      (followsInternalRedirects || referrer === undefined || mayLead(referrer.network, network));
    const asked = performance.now();
    try {
      // The client for direct connections is fast enough for whole disks, but does not support proxies.
      return proxy === undefined
        ? await this.#direct.ask(url, request, accepts, ends)
        : await this.#proxied.ask(url, request, proxy, accepts, ends);
    } catch (error) {
      signal?.throwIfAborted();
      ends?.throwIfAborted();
      if (error instanceof NetworkRefused) {
        if (refusedNetworks.includes(error.network)) throw addressRefused(url, error);
        if (referrer !== undefined) throw redirectRefused(referrer, url, error);
      }
      throw proxy === undefined ? connectionFailure(error, url) : proxyFailure(error, url, proxy);
    } finally {
      this.#pace.waited(Math.max(0, performance.now() - asked - ORDINARY_HEAD));
    }
  }
}
