import type { IncomingMessage, ServerResponse } from 'node:http';
import { UPLOAD_API_VERSION } from '../../api/group.ts';
import type { Logger } from '../../base/logger.ts';
import { errorFields } from '../../kube/errors.ts';
import { CLAIM_WEBHOOK_PATH, type ClaimWebhook } from './claim-webhook.ts';
import { discovery } from './discovery.ts';
import type { FrontProxy } from './front-proxy.ts';
import { readJson } from './read-json.ts';
import { StatusError } from './status-error.ts';
import { UPLOAD_TOKEN_REQUESTS, type UploadTokens } from './upload-tokens.ts';

/** Bytes of a request for a token, of which a few hundred are needed. */
const LARGEST_TOKEN_REQUEST = 64 * 1024;

/** Bytes of an AdmissionReview: the API server takes objects of 3 MiB. */
const LARGEST_REVIEW = 4 * 1024 * 1024;
/** Reviews that are read at a time: whoever reaches this port may send one. */
const MOST_REVIEWS = 20;

const tokenPath = new RegExp(`^/apis/${UPLOAD_API_VERSION}/namespaces/([a-z0-9-]+)/${UPLOAD_TOKEN_REQUESTS}(/.*)?$`);

interface Answer {
  readonly status: number;
  readonly body: object;
}

/** Answers the requests that the API server of the cluster passes on or makes itself. */
export class Routes {
  readonly #frontProxy: () => FrontProxy | undefined;
  readonly #tokens: UploadTokens;
  readonly #claims: ClaimWebhook;
  readonly #isStopping: () => boolean;
  readonly #logger: Logger;
  readonly #reviews = new Set<IncomingMessage>();
  /** Those of which not all has come, the oldest first. */
  readonly #arriving = new Set<IncomingMessage>();

  constructor(options: {
    readonly frontProxy: () => FrontProxy | undefined;
    readonly tokens: UploadTokens;
    readonly claims: ClaimWebhook;
    readonly isStopping: () => boolean;
    readonly logger: Logger;
  }) {
    this.#frontProxy = options.frontProxy;
    this.#tokens = options.tokens;
    this.#claims = options.claims;
    this.#isStopping = options.isStopping;
    this.#logger = options.logger;
  }

  /** Answers a request; never throws. */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // Connections that are kept would be used again when nobody listens any more.
    if (this.#isStopping()) response.setHeader('connection', 'close');
    try {
      const { status, body } = await this.#answerOf(request);
      send(response, status, body);
    } catch (error) {
      const refusal = error instanceof StatusError ? error : this.#unexpected(request, error);
      send(response, refusal.status, refusal.body);
    }
  }

  async #answerOf(request: IncomingMessage): Promise<Answer> {
    const url = URL.parse(request.url ?? '/', 'https://localhost');
    if (!url) throw new StatusError('BadRequest', 'the path of the request is none');
    const { pathname: path, searchParams: query } = url;
    // What is served is no secret, and tells the API server whether this one is there.
    const found = discovery[path];
    if (found && (request.method === 'GET' || request.method === 'HEAD')) return { status: 200, body: found };
    // The API server shows no certificate with these. They lead to an answer, and to nothing else.
    if (path === CLAIM_WEBHOOK_PATH && request.method === 'POST')
      return { status: 200, body: await this.#review(request) };
    const frontProxy = this.#frontProxy();
    if (!frontProxy) throw new StatusError('ServiceUnavailable', 'the upload API is starting; try again in a moment');
    const user = frontProxy.userOf(request);
    const [, namespace, object] = tokenPath.exec(path) ?? [];
    if (namespace === undefined) throw new StatusError('NotFound', `${path} is not served here`);
    if (request.method !== 'POST' || object !== undefined) {
      throw new StatusError('MethodNotAllowed', `${UPLOAD_TOKEN_REQUESTS} can be created, and nothing else`);
    }
    const body = await readJson(request, LARGEST_TOKEN_REQUEST);
    const created = await this.#tokens.create(user, namespace, body, {
      isStrict: query.get('fieldValidation') === 'Strict',
      isDryRun: query.getAll('dryRun').includes('All'),
    });
    return { status: 201, body: created };
  }

  async #review(request: IncomingMessage): Promise<object> {
    if (this.#reviews.size >= MOST_REVIEWS) this.#endOldest();
    this.#reviews.add(request);
    this.#arriving.add(request);
    try {
      const review = await readJson(request, LARGEST_REVIEW);
      this.#arriving.delete(request);
      return await this.#claims.review(review);
    } finally {
      this.#arriving.delete(request);
      this.#reviews.delete(request);
    }
  }

  /**
   * Makes room for a review. The API server sends each at once, so that those that still arrive are likely of somebody
   * who wants to take all the room.
   *
   * @throws StatusError ServiceUnavailable where all have arrived
   */
  #endOldest(): void {
    const [oldest] = this.#arriving;
    if (!oldest) throw new StatusError('ServiceUnavailable', 'too many reviews at a time');
    this.#arriving.delete(oldest);
    this.#reviews.delete(oldest);
    oldest.destroy();
  }

  #unexpected(request: IncomingMessage, error: unknown): StatusError {
    const [path] = (request.url ?? '').split('?');
    // Whoever breaks a request off is not told anything, and anybody may do so.
    const level = request.destroyed && !request.complete ? 'debug' : 'error';
    this.#logger[level]('a request failed', { step: 'answer', method: request.method, path, ...errorFields(error) });
    return new StatusError('InternalError', 'the upload API could not answer; its log says why. Try again', {
      cause: error,
    });
  }
}

function send(response: ServerResponse, status: number, body: object): void {
  if (response.destroyed || response.headersSent) return;
  const text = JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}
