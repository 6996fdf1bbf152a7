import { constants } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import type { Progress } from '../../base/progress.ts';
import { closeWithConnections, listen } from '../../server/listen.ts';
import { RECEIVED_HEADER, uploadPathOf, uploadPaths } from '../../server/upload-protocol.ts';
import { tlsSettings, type TransferIdentity, watchConnection } from '../copy/peer.ts';
import { Reception } from './reception.ts';
import type { Upload } from './upload.ts';
import { refusalFor, UploadRefusal } from './upload-refusal.ts';

export interface UploadServerOptions {
  /** The port to listen on; 0 for any free one. */
  port: number;
  /** The address to listen on; by default all. */
  host?: string | undefined;
  /** The certificate of the server, and the authorities of its client. */
  identity: TransferIdentity;
  /** Common name in the certificate of the only client. */
  clientName: string;
  upload: Upload;
  progress: Progress;
  /** How long a request waits for the one before it to end, in milliseconds. */
  turnPatience?: number;
}

interface CurrentRequest {
  reception: Reception;
  /** Resolves when it has been answered, or cannot be. */
  ended: Promise<void>;
}

/** How long an answer may take to reach the client, in milliseconds. */
const ANSWER_GRACE_MILLISECONDS = 5000;
const HANDSHAKE_TIMEOUT_MILLISECONDS = 10_000;
const HEAD_TIMEOUT_MILLISECONDS = 10_000;
/** Connections, of which the upload proxy has few: whoever reaches this port can make one. */
const MAXIMUM_CONNECTIONS = 1000;
/** Connections of others than the upload proxy that get an answer. */
const MAXIMUM_STRANGERS = 100;
/** A connection that broke elsewhere may still have bytes to read, before its end is seen. */
const TURN_PATIENCE_MILLISECONDS = 3000;
/** Bytes that are read from a connection at once. */
const READ_SIZE = 256 * 1024;

/**
 * Receives one image over mutual TLS, in as many requests as it takes, one at a time. A request that breaks ends only
 * itself.
 */
export class UploadServer {
  readonly #options: UploadServerOptions;
  readonly #server: Server;
  readonly #outcome = Promise.withResolvers<void>();
  /** The answer to all requests, once the import has ended. */
  #conclusion: UploadRefusal | undefined;
  #current: CurrentRequest | undefined;
  #strangers = 0;

  constructor(options: UploadServerOptions) {
    this.#options = options;
    const { identity, progress } = options;
    this.#outcome.promise.catch(() => undefined);
    this.#server = createServer({
      ...secureContext(identity),
      requestCert: true,
      // A client with the wrong certificate gets an answer that says so.
      rejectUnauthorized: false,
      requestTimeout: 0,
      headersTimeout: HEAD_TIMEOUT_MILLISECONDS,
      connectionsCheckingInterval: HEAD_TIMEOUT_MILLISECONDS / 10,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MILLISECONDS,
      highWaterMark: READ_SIZE,
      // A resumed session would not show whether the certificate of the client is still valid.
      secureOptions: constants.SSL_OP_NO_TICKET,
    });
    this.#server.maxConnections = MAXIMUM_CONNECTIONS;
    this.#server.on('secureConnection', (socket) => {
      watchConnection(socket);
      if (!this.#isClient(socket)) this.#tolerate(socket);
    });
    this.#server.on('tlsClientError', (error: Error) => progress.note('handshake failed', { reason: error.message }));
    const answer = (request: IncomingMessage, response: ServerResponse): void => void this.#answer(request, response);
    this.#server.on('request', answer);
    this.#server.on('checkContinue', answer);
  }

  /** Starts to listen; returns the port. */
  async listen(): Promise<number> {
    const { port, host } = this.#options;
    this.#tellWaiting();
    return listen(this.#server, { port, ...(host === undefined ? {} : { host }) });
  }

  /**
   * Shows another certificate to new connections, and trusts other authorities.
   *
   * @throws Error where they cannot be used
   */
  renew(identity: TransferIdentity): void {
    this.#server.setSecureContext({ ...secureContext(identity), secureOptions: constants.SSL_OP_NO_TICKET });
  }

  /** Tells the client that the image is in place; returns when it knows. */
  async succeed(): Promise<void> {
    this.#conclusion = new UploadRefusal(409, 'an image has been uploaded already: nothing can replace it');
    this.#outcome.resolve();
    this.#options.upload.stream.discard();
    await this.#current?.ended;
  }

  /** Tells the client why the import has failed; returns when it knows. */
  async refuse(error: unknown): Promise<void> {
    this.#conclusion = refusalFor(error);
    this.#outcome.reject(this.#conclusion);
    this.#current?.reception.stop(this.#conclusion);
    await this.#current?.ended;
  }

  async close(): Promise<void> {
    await closeWithConnections(this.#server);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A broken connection shows where the body is read.
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    try {
      this.#checkClient(request.socket as TLSSocket);
      const path = uploadPathOf(request.url?.split('?')[0] ?? '');
      if (path === undefined) throw new UploadRefusal(404, 'nothing can be uploaded to this path');
      switch (request.method) {
        case 'HEAD':
          response.writeHead(200, { [RECEIVED_HEADER]: String(this.#options.upload.received) }).end();
          return;
        case 'POST':
        case 'PUT':
          await this.#take(uploadPaths[path], request, response);
          return;
        default:
          throw new UploadRefusal(405, 'images are uploaded with POST or PUT');
      }
    } catch (error) {
      await reply(response, refusalFor(error));
    }
  }

  #isClient(socket: TLSSocket): boolean {
    return nameOf(socket) === this.#options.clientName && !socket.isSessionReused();
  }

  /** Lets whoever is not the client of this server read that it is not, and no more. */
  #tolerate(socket: TLSSocket): void {
    if (this.#strangers >= MAXIMUM_STRANGERS) {
      socket.destroy();
      return;
    }
    this.#strangers++;
    const timer = setTimeout(() => socket.destroy(), ANSWER_GRACE_MILLISECONDS);
    socket.once('close', () => {
      clearTimeout(timer);
      this.#strangers--;
    });
  }

  /** @throws UploadRefusal */
  #checkClient(socket: TLSSocket): void {
    if (this.#isClient(socket)) return;
    const { progress } = this.#options;
    progress.note('client refused', { reason: String(socket.authorizationError ?? `its name is ${nameOf(socket)}`) });
    throw new UploadRefusal(401, 'images are only taken from the upload proxy: send them there');
  }

  async #take(
    path: (typeof uploadPaths)[keyof typeof uploadPaths],
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const until = performance.now() + (this.#options.turnPatience ?? TURN_PATIENCE_MILLISECONDS);
    while (this.#current !== undefined) await this.#awaitEnd(this.#current, until);
    if (hasLeft(response)) return;
    if (this.#conclusion !== undefined) throw this.#conclusion;
    const reception = new Reception(this.#options.upload, request, response);
    const ended = Promise.withResolvers<void>();
    const current = { reception, ended: ended.promise };
    this.#current = current;
    this.#options.progress.waitFor(undefined);
    try {
      await reply(response, await this.#receive(reception, path));
    } catch (error) {
      if (hasLeft(response)) this.#options.progress.note('connection lost', { reason: String(error) });
      else await reply(response, refusalFor(error));
    } finally {
      if (this.#current === current) this.#current = undefined;
      this.#tellWaiting();
      ended.resolve();
    }
  }

  /** @returns the answer where nothing is refused */
  async #receive(
    reception: Reception,
    path: (typeof uploadPaths)[keyof typeof uploadPaths],
  ): Promise<'stored' | 'received' | UploadRefusal> {
    const { upload } = this.#options;
    const isComplete = await reception.receive(path);
    if (!isComplete) {
      return new UploadRefusal(202, `${upload.stream.received} bytes have been received: send the rest`);
    }
    const stored = this.#outcome.promise;
    // A client that waits no longer than this is still told what an image of any size turns out to be.
    await reception.await(path.async ? Promise.race([stored, upload.stream.taken]) : stored);
    return path.async ? 'received' : 'stored';
  }

  /**
   * Waits until the request before has ended. One from which nothing has come for a while gives way.
   *
   * @throws UploadRefusal
   */
  async #awaitEnd({ reception, ended }: CurrentRequest, until: number): Promise<void> {
    const { bytes } = reception;
    await within(until - performance.now(), ended);
    if (this.#current?.reception !== reception) return;
    if (reception.isHeldBack || reception.bytes > bytes) {
      throw new UploadRefusal(503, 'another upload into this claim is in progress: wait until it has ended');
    }
    reception.stop(new UploadRefusal(503, 'another request has taken over this upload'));
    await ended;
  }

  #tellWaiting(): void {
    const { progress, upload } = this.#options;
    if (this.#conclusion !== undefined || upload.stream.hasEnded) return;
    progress.waitFor(`an upload: ${upload.received} bytes so far`);
  }
}

function secureContext({ ca, certificate, key }: TransferIdentity): Record<string, unknown> {
  return { ...tlsSettings, ca, cert: certificate, key };
}

/** Common name in the certificate of a client; undefined where it has none that is trusted. */
function nameOf(socket: TLSSocket): string | undefined {
  return socket.authorized ? String(socket.getPeerCertificate().subject.CN) : undefined;
}

function hasLeft({ destroyed, socket }: ServerResponse): boolean {
  return destroyed || socket === null || socket.destroyed;
}

/** Waits for a promise, but not for long. */
async function within(milliseconds: number, promise: Promise<void>): Promise<void> {
  const timer = new AbortController();
  try {
    await Promise.race([promise, sleep(Math.max(0, milliseconds), undefined, { signal: timer.signal })]);
  } finally {
    timer.abort();
  }
}

/** Answers, and waits until the answer has been sent or cannot be. */
async function reply(response: ServerResponse, answer: 'stored' | 'received' | UploadRefusal): Promise<void> {
  const { req: request, socket } = response;
  if (hasLeft(response) || response.headersSent || socket === null) return;
  const [status, text] = answer instanceof UploadRefusal ? [answer.status, `${answer.message}\n`] : [200, ''];
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    // Closed only once everything has been read, whatever the client wants: what is still on its way would destroy the
    // answer.
    connection: request.complete ? 'close' : 'keep-alive',
  });
  response.end(text);
  if (request.complete) {
    await settled(once(socket, 'close', { signal: AbortSignal.timeout(ANSWER_GRACE_MILLISECONDS) }));
    return;
  }
  request.resume();
  const patience = AbortSignal.timeout(ANSWER_GRACE_MILLISECONDS);
  await settled(
    Promise.race([once(request, 'end', { signal: patience }), once(socket, 'close', { signal: patience })]),
  );
  socket.destroySoon();
}

async function settled(promise: Promise<unknown>): Promise<void> {
  await promise.catch(() => undefined);
}
