import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Logger } from '../../base/logger.ts';
import { toError } from '../../kube/errors.ts';
import { keyToString } from '../../kube/key.ts';
import { PREFIX_SHA256_HEADER, SHA256_HEADER, type UploadPath, uploadPathOf } from '../../server/upload-protocol.ts';
import type { Uploads } from './admission.ts';
import { passOn, refuse, respond } from './answer.ts';
import { METHODS, preflightHeaders } from './cors.ts';
import { begin } from './hold.ts';
import type { KeyMaterial } from './key-material.ts';
import { Refusal } from './refusal.ts';
import { relay } from './relay.ts';
import type { UploadServers } from './upload-servers.ts';

/** Milliseconds that an image is held until its upload server is there: it may have to be scheduled, or replaced. */
export const HOLD_MILLISECONDS = 300_000;
/**
 * The same of a question by HEAD. It is shorter because virtctl, when it is refused, does without what it asked for: an
 * answer before the image is in place.
 */
export const QUESTION_HOLD_MILLISECONDS = 30_000;

/** Headers of a request that the upload server gets. Nothing else of what a client sends is passed on. */
const passedOn = [
  'content-type',
  'content-encoding',
  'content-length',
  'content-range',
  SHA256_HEADER,
  PREFIX_SHA256_HEADER,
];

export interface RouteDependencies {
  readonly keys: Pick<KeyMaterial, 'tokens'>;
  readonly servers: UploadServers;
  readonly uploads: Uploads;
  readonly logger: Logger;
  /** Aborted when requests that wait for an upload server are to be refused, because this process ends. */
  readonly stopping: AbortSignal;
}

/** Answers the requests of clients. Whoever has an upload token may upload; all else is open to everybody. */
export class Routes {
  readonly #dependencies: RouteDependencies;

  constructor(dependencies: RouteDependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * Answers one request; never rejects.
   *
   * @param awaitsContinue whether the client sends the body only once it is told to
   */
  async answer(request: IncomingMessage, response: ServerResponse, awaitsContinue = false): Promise<void> {
    // A client that breaks off is noticed where its request is read or answered.
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    try {
      await this.#route(request, response, awaitsContinue);
    } catch (error) {
      const { logger } = this.#dependencies;
      if (!(error instanceof Refusal)) {
        logger.error('a request failed', { step: 'answer', error: toError(error).stack });
      }
      const refusal =
        error instanceof Refusal ? error : new Refusal(500, 'the upload proxy has a fault; its log says more');
      await refuse(request, response, refusal).catch(() => undefined);
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse, awaitsContinue: boolean): Promise<void> {
    const { method = '' } = request;
    const [path = ''] = (request.url ?? '').split('?');
    if (path === '/healthz' && method === 'GET') {
      await respond(request, response, 200, { 'content-type': 'text/plain; charset=utf-8' }, Buffer.from('OK'));
      return;
    }
    const uploadPath = uploadPathOf(path);
    if (!uploadPath) {
      throw new Refusal(
        404,
        'there is nothing at this path: images are sent to /v1beta1/upload or /v1beta1/upload-async',
      );
    }
    if (method === 'OPTIONS') await respond(request, response, 204, preflightHeaders, Buffer.alloc(0));
    else if (method === 'POST' || method === 'PUT' || method === 'HEAD') {
      await this.#upload(request, response, uploadPath, awaitsContinue);
    } else {
      throw new Refusal(405, `${method} is not possible here: send the image by POST or PUT`, {
        headers: { allow: METHODS.join(', ') },
      });
    }
  }

  async #upload(
    request: IncomingMessage,
    response: ServerResponse,
    uploadPath: UploadPath,
    awaitsContinue: boolean,
  ): Promise<void> {
    const { keys, servers, uploads, stopping, logger } = this.#dependencies;
    if (!keys.tokens) throw new Refusal(503, 'the upload proxy has no keys yet to verify tokens by: try again later');
    const token = await keys.tokens.verify(request.headers.authorization);
    const { method = '' } = request;
    const release = uploads.admit(token);
    const log = logger.child({ claim: keyToString(token), method, path: uploadPath });
    const started = performance.now();
    const clientLeft = new AbortController();
    response.once('close', () => clientLeft.abort(new ClientLeft()));
    const head = { method, path: `/v1beta1/${uploadPath}`, headers: forwardedHeaders(request) };
    const patience = method === 'HEAD' ? QUESTION_HOLD_MILLISECONDS : HOLD_MILLISECONDS;
    try {
      const waiting = AbortSignal.any([clientLeft.signal, stopping]);
      const { exchange, server, wantsBody } = await begin(servers, token, head, { patience, signal: waiting });
      if (awaitsContinue && wantsBody) response.writeContinue();
      const isThere = (signal: AbortSignal) => servers.isThere(server, token, signal);
      const answer = await relay(request, exchange, isThere, clientLeft.signal);
      log.info('answered', { step: 'upload', status: answer.status, ...measures(request, started) });
      await passOn(request, response, answer);
    } catch (error) {
      if (clientLeft.signal.aborted) {
        log.info('the client broke off', { step: 'upload', ...measures(request, started) });
        return;
      }
      if (error instanceof Refusal) {
        const { status, message } = error;
        log.warn('refused', { step: 'upload', status, reason: message, ...measures(request, started) });
      }
      throw error;
    } finally {
      release();
    }
  }
}

class ClientLeft extends Error {
  override readonly name = 'ClientLeft';
  readonly code = 'ERR_CLIENT_LEFT';
}

function forwardedHeaders({ headers }: IncomingMessage): OutgoingHttpHeaders {
  const present = passedOn.flatMap((name) => {
    const value = headers[name];
    return typeof value === 'string' ? [[name, value] as const] : [];
  });
  return Object.fromEntries(present);
}

function measures({ socket }: IncomingMessage, started: number): { bytes: number; seconds: number } {
  return { bytes: socket.bytesRead, seconds: Math.round(performance.now() - started) / 1000 };
}
