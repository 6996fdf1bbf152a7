import type { IncomingHttpHeaders } from 'node:http';
import { Agent, type Dispatcher } from 'undici';
import { TransferError } from '../errors.ts';
import { trustedCertificates } from './certificates.ts';
import { connectionFailure } from './failures.ts';
import { describeUrl } from './location.ts';

/** Short enough for a failure to show within seconds. */
const CONNECT_TIMEOUT = 8_000;
/** A server may look long for an object before it answers. */
const HEADERS_TIMEOUT = 60_000;
const MOST_REDIRECTS = 10;
const redirects = new Set([301, 302, 303, 307, 308]);

export interface HttpClientOptions {
  /** Folder with PEM certificates to trust besides the system's. */
  certificatesDirectory?: string | undefined;
  /** Accept any certificate. */
  insecureSkipVerify?: boolean;
  /** How long a body may stall, in milliseconds. */
  stallTimeout?: number;
  signal?: AbortSignal | undefined;
}

export interface HttpRequest {
  method?: 'GET' | 'HEAD' | 'POST';
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

/** Follows redirects, trusts the right certificates, and says what went wrong. Bodies come as they were sent. */
export class HttpClient {
  readonly #options: HttpClientOptions;
  /** By protocol: reading the system's certificates takes a while, and plain http needs none. */
  readonly #agents = new Map<string, Promise<Agent>>();

  constructor(options: HttpClientOptions) {
    this.#options = options;
  }

  /** @throws TransferError for every failure to get an answer; any status is an answer */
  async request(url: URL, { method = 'GET', headers, confidentialHeaders }: HttpRequest): Promise<HttpResponse> {
    let current = url;
    for (let hops = 0; hops <= MOST_REDIRECTS; hops += 1) {
      const answer = await this.#once(current, method, {
        'user-agent': 'diskpress',
        'accept-encoding': 'identity',
        ...headers,
        ...(current.origin === url.origin ? confidentialHeaders : {}),
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
    method: Dispatcher.HttpMethod,
    headers: Record<string, string>,
  ): Promise<Dispatcher.ResponseData> {
    const agent = await this.#agentFor(url.protocol);
    try {
      const { signal } = this.#options;
      const answer = await agent.request({
        origin: url.origin,
        path: url.pathname + url.search,
        method,
        headers,
        ...(signal === undefined ? {} : { signal }),
      });
      // An abandoned body may still report that its connection broke.
      answer.body.on('error', () => {});
      return answer;
    } catch (error) {
      this.#options.signal?.throwIfAborted();
      throw connectionFailure(error, url);
    }
  }

  #agentFor(protocol: string): Promise<Agent> {
    let agent = this.#agents.get(protocol);
    if (agent === undefined) {
      agent = this.#createAgent(protocol === 'https:');
      this.#agents.set(protocol, agent);
    }
    return agent;
  }

  async #createAgent(secure: boolean): Promise<Agent> {
    const { certificatesDirectory, insecureSkipVerify = false, stallTimeout = 30_000 } = this.#options;
    return new Agent({
      connect: {
        timeout: CONNECT_TIMEOUT,
        rejectUnauthorized: !insecureSkipVerify,
        ...(secure && !insecureSkipVerify ? { ca: await trustedCertificates(certificatesDirectory) } : {}),
      },
      headersTimeout: HEADERS_TIMEOUT,
      bodyTimeout: stallTimeout,
      // Several requests over one connection are no faster than one.
      allowH2: false,
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
