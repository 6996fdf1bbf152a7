import type { KubeConfig, V1Status } from '@kubernetes/client-node';
import type { Dispatcher } from 'undici';
import type { Metrics } from '../server/metrics.ts';
import { leases } from './builtin-resources.ts';
import { type Access, Credentials } from './credentials.ts';
import { delay } from './delay.ts';
import { ApiError, ConnectionError } from './errors.ts';
import { type Answer, exchange } from './exchange.ts';

const TIMEOUT_MILLISECONDS = 30_000;
/** How long a request may wait for a connection: longer than a request before it may be without an answer. */
const QUEUE_TIMEOUT_MILLISECONDS = 2 * TIMEOUT_MILLISECONDS;
/**
 * Number of retries while the server is busy, which happen only if it asks for a short wait; longer waits are up to the
 * caller.
 */
const BUSY_RETRIES = 4;
const BUSY_WAIT_MAX_SECONDS = 10;

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: object | undefined;
  readonly contentType?: string;
  readonly signal?: AbortSignal | undefined;
  /** Longest silence in milliseconds that is not an error. */
  readonly idleTimeout?: number | undefined;
  /** Verb of this request in the metrics. */
  readonly verb: string;
  readonly resource: string;
}

export type ApiResponse = Dispatcher.ResponseData;

type Sent = Dispatcher.DispatchOptions & { readonly signal?: AbortSignal };

/** How a request is sent, and the answer of a server that refuses it is read. */
interface Way<Response extends Pick<ApiResponse, 'statusCode' | 'headers'>> {
  readonly dispatcherOf: (access: Access, resource: string) => Dispatcher;
  /** @param onStatus called when the headers of the answer have come */
  readonly send: (dispatcher: Dispatcher, request: Sent, onStatus: (statusCode: number) => void) => Promise<Response>;
  readonly textOf: (response: Response) => Promise<string>;
}

const asWhole: Way<Answer> = {
  dispatcherOf: (access, resource) => (resource === leases.plural ? access.unlimitedDispatcher : access.dispatcher),
  send: (dispatcher, request, onStatus) =>
    exchange(dispatcher, { ...request, queueTimeout: QUEUE_TIMEOUT_MILLISECONDS }, onStatus),
  textOf: ({ text }) => Promise.resolve(text),
};

const asStream: Way<ApiResponse> = {
  dispatcherOf: ({ unlimitedDispatcher }) => unlimitedDispatcher,
  async send(dispatcher, request, onStatus) {
    const response = await dispatcher.request(request);
    onStatus(response.statusCode);
    return response;
  },
  textOf: ({ body }) => body.text().catch(() => ''),
};

/** HTTP to the API server, including credentials, errors, the Retry-After of a busy server, and metrics. */
export class Transport {
  readonly #credentials: Credentials;
  readonly #metrics: Metrics;
  readonly #userAgent: string;

  constructor(kubeConfig: KubeConfig, options: { metrics: Metrics; userAgent: string }) {
    this.#credentials = new Credentials(kubeConfig);
    this.#metrics = options.metrics;
    this.#userAgent = options.userAgent;
  }

  /**
   * Sends a request whose answer the caller reads as a stream, which keeps a connection for as long as that lasts.
   *
   * @throws {ApiError} the server refused it
   * @throws {ConnectionError} there was no answer
   * @throws the signal's reason, if that was aborted
   */
  async stream(request: ApiRequest): Promise<ApiResponse> {
    return this.#send(request, asStream);
  }

  /** Sends a request and parses its answer. Throws as {@link stream} does. */
  async json(request: ApiRequest): Promise<unknown> {
    const { text } = await this.#send(request, asWhole);
    try {
      return JSON.parse(text);
    } catch (error) {
      throw failure(request, error);
    }
  }

  async close(): Promise<void> {
    await this.#credentials.close();
  }

  async #send<Response extends Pick<ApiResponse, 'statusCode' | 'headers'>>(
    request: ApiRequest,
    way: Way<Response>,
  ): Promise<Response> {
    let renewed = false;
    for (let retries = 0; ;) {
      const response = await this.#sendOnce(request, way, renewed);
      if (response.statusCode < 400) return response;
      const error = errorOf(response, await way.textOf(response));
      if (error.status === 401 && !renewed) {
        renewed = true;
        continue;
      }
      const wait = error.retryAfterSeconds;
      const busy = error.status === 429 || error.status >= 500;
      if (!busy || wait === undefined || wait > BUSY_WAIT_MAX_SECONDS || ++retries > BUSY_RETRIES) throw error;
      await delay(wait * 1000 * (1 + Math.random() / 4), request.signal);
    }
  }

  async #sendOnce<Response extends Pick<ApiResponse, 'statusCode' | 'headers'>>(
    request: ApiRequest,
    way: Way<Response>,
    renewCredentials: boolean,
  ): Promise<Response> {
    request.signal?.throwIfAborted();
    const { server } = this.#credentials;
    const labels = { verb: request.verb, resource: request.resource };
    const observe = this.#metrics.requestDuration.startTimer(labels);
    let isAnswered = false;
    try {
      const access = await this.#credentials.access(renewCredentials);
      const sent: Sent = {
        origin: server.origin,
        path: `${server.pathname.replace(/\/$/, '')}${request.path}${queryString(request.query)}`,
        method: request.method,
        headers: {
          ...access.headers,
          accept: 'application/json',
          'user-agent': this.#userAgent,
          ...(request.body && { 'content-type': request.contentType ?? 'application/json' }),
        },
        body: request.body ? JSON.stringify(request.body) : null,
        // Otherwise undici closes the connection after the body of a DELETE, which the API server takes as any other.
        reset: false,
        headersTimeout: Math.min(request.idleTimeout ?? TIMEOUT_MILLISECONDS, TIMEOUT_MILLISECONDS),
        bodyTimeout: request.idleTimeout ?? TIMEOUT_MILLISECONDS,
        ...(request.signal && { signal: request.signal }),
      };
      return await way.send(way.dispatcherOf(access, request.resource), sent, (statusCode) => {
        isAnswered = true;
        this.#metrics.requests.inc({ ...labels, code: statusCode });
        observe();
      });
    } catch (error) {
      if (!isAnswered) this.#metrics.requests.inc({ ...labels, code: '<error>' });
      throw failure(request, error);
    }
  }
}

/** Returns what a failed exchange means to the caller: the abort that it requested, or a broken connection. */
export function failure(request: Pick<ApiRequest, 'method' | 'path' | 'signal'>, error: unknown): Error {
  if (request.signal?.aborted) return request.signal.reason as Error;
  if (error instanceof ApiError) return error;
  return new ConnectionError(`${request.method} ${request.path}`, error);
}

function errorOf(response: Pick<ApiResponse, 'statusCode' | 'headers'>, text: string): ApiError {
  const header = Number(response.headers['retry-after']);
  const retryAfterSeconds = Number.isFinite(header) && header > 0 ? header : undefined;
  return new ApiError({ ...parseStatus(text), code: response.statusCode }, retryAfterSeconds);
}

function parseStatus(text: string): Partial<V1Status> {
  try {
    const parsed = JSON.parse(text) as V1Status | null;
    if (parsed?.kind === 'Status') return parsed;
  } catch {
    // Proxies answer with HTML, and the API server itself with plain text when it is overloaded.
  }
  const message = text.trim().slice(0, 200);
  return message === '' ? {} : { message };
}

function queryString(query: ApiRequest['query']): string {
  const given = Object.entries(query ?? {}).filter(([, value]) => value !== undefined);
  if (given.length === 0) return '';
  const texts = Object.fromEntries(given.map(([name, value]) => [name, String(value)]));
  return `?${new URLSearchParams(texts).toString()}`;
}
