import type { KubeConfig, V1Status } from '@kubernetes/client-node';
import type { Dispatcher } from 'undici';
import type { Metrics } from '../server/metrics.ts';
import { Credentials } from './credentials.ts';
import { delay } from './delay.ts';
import { ApiError, ConnectionError } from './errors.ts';

const TIMEOUT_MILLISECONDS = 30_000;
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
   * Sends a request of which the caller needs only the success, or whose body it reads itself.
   *
   * @throws {ApiError} the server refused it
   * @throws {ConnectionError} there was no answer
   * @throws the signal's reason, if that was aborted
   */
  async send(request: ApiRequest): Promise<ApiResponse> {
    let renewed = false;
    for (let retries = 0; ;) {
      const response = await this.#sendOnce(request, renewed);
      if (response.statusCode < 400) return response;
      const error = await readError(response);
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

  /** Sends a request and parses its answer. Throws as {@link send} does. */
  async json(request: ApiRequest): Promise<unknown> {
    const response = await this.send(request);
    try {
      return await response.body.json();
    } catch (error) {
      throw failure(request, error);
    }
  }

  async close(): Promise<void> {
    await this.#credentials.close();
  }

  async #sendOnce(request: ApiRequest, renewCredentials: boolean): Promise<ApiResponse> {
    request.signal?.throwIfAborted();
    const { server } = this.#credentials;
    const query = queryString(request.query);
    const labels = { verb: request.verb, resource: request.resource };
    const observe = this.#metrics.requestDuration.startTimer(labels);
    try {
      const { dispatcher, watchDispatcher, headers } = await this.#credentials.access(renewCredentials);
      const response = await (request.verb === 'watch' ? watchDispatcher : dispatcher).request({
        origin: server.origin,
        path: `${server.pathname.replace(/\/$/, '')}${request.path}${query}`,
        method: request.method,
        headers: {
          ...headers,
          accept: 'application/json',
          'user-agent': this.#userAgent,
          ...(request.body && { 'content-type': request.contentType ?? 'application/json' }),
        },
        body: request.body ? JSON.stringify(request.body) : null,
        headersTimeout: Math.min(request.idleTimeout ?? TIMEOUT_MILLISECONDS, TIMEOUT_MILLISECONDS),
        bodyTimeout: request.idleTimeout ?? TIMEOUT_MILLISECONDS,
        ...(request.signal && { signal: request.signal }),
      });
      this.#metrics.requests.inc({ ...labels, code: response.statusCode });
      observe();
      return response;
    } catch (error) {
      this.#metrics.requests.inc({ ...labels, code: '<error>' });
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

async function readError(response: ApiResponse): Promise<ApiError> {
  const text = await response.body.text().catch(() => '');
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
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined) parameters.set(name, String(value));
  }
  return parameters.size === 0 ? '' : `?${parameters.toString()}`;
}
