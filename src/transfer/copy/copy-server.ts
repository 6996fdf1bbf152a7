import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { asTransferError, type TransferError } from '../../base/errors.ts';
import type { Progress } from '../../base/progress.ts';
import { closeWithConnections, listen } from '../../server/listen.ts';
import { ARRIVED_PATH, COPY_PATH, parseOffer, stateHeaders, STREAM_PROTOCOL } from './copy-protocol.ts';
import type { CloneTarget, ReceivedClone } from './copy-receiver.ts';
import { BodyExchange, type Exchange, refuseUpgrade, reply, UpgradedExchange } from './exchanges.ts';
import { connectionFailure, tlsSettings, type TransferIdentity, watchConnection } from './peer.ts';
import type { StreamDigest } from './piece-stream.ts';

export interface CopyServerOptions {
  /** The port to listen on; 0 for any free one. */
  port: number;
  /** The address to listen on; by default all. */
  host?: string;
  identity: TransferIdentity;
  target: CloneTarget;
  progress: Progress;
  signal?: AbortSignal;
}

const HANDSHAKE_TIMEOUT_MILLISECONDS = 10_000;
/** How long a request, without its body, may take to arrive. */
const HEADERS_TIMEOUT_MILLISECONDS = 60_000;

/**
 * Receives one clone over mutual TLS. The part that arrived of a broken stream is kept for the next one. A client that
 * reconnects replaces its previous stream, the connection of which may be dead without having been closed.
 */
export class CopyServer {
  readonly #options: CopyServerOptions;
  readonly #server: Server;
  readonly #received = Promise.withResolvers<ReceivedClone>();
  /** Connections of the client of this clone. */
  readonly #trusted = new WeakSet<TLSSocket>();
  /** The latest request of the client; the next one is served after it has ended. */
  #current: { request: { destroy(): void }; ended: Promise<void> } | undefined;

  constructor(options: CopyServerOptions) {
    this.#options = options;
    const { identity, progress } = options;
    this.#server = createServer({
      ...tlsSettings,
      ca: identity.ca,
      cert: identity.certificate,
      key: identity.key,
      requestCert: true,
      // A client with the wrong certificate gets a response that says so; a failed handshake would look like a broken
      // connection to it. It gets nothing else before its certificate has been checked.
      rejectUnauthorized: false,
      // A clone has no time limit.
      requestTimeout: 0,
      headersTimeout: HEADERS_TIMEOUT_MILLISECONDS,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MILLISECONDS,
    });
    this.#server.on('secureConnection', (socket) => {
      watchConnection(socket);
      // Only a full handshake verifies a certificate; a client of this protocol never resumes a session.
      if (socket.authorized && socket.isSessionReused() === false) this.#trusted.add(socket);
    });
    this.#server.on('tlsClientError', (error: Error) => progress.note('handshake failed', { reason: error.message }));
    const answer = (request: IncomingMessage, response: ServerResponse): void => this.#answer(request, response);
    this.#server.on('request', answer);
    this.#server.on('checkContinue', answer);
    this.#server.on('upgrade', (request, socket, head) => {
      if (head.length > 0) socket.unshift(head);
      this.#upgrade(request, socket as TLSSocket);
    });
  }

  /** Starts to listen; returns the port. */
  async listen(): Promise<number> {
    const { port, host } = this.#options;
    return listen(this.#server, { port, ...(host === undefined ? {} : { host }) });
  }

  /**
   * Waits until a clone is complete and durable, and the client has been informed.
   *
   * @throws TransferError the first permanent failure
   */
  async received(): Promise<ReceivedClone> {
    const { signal } = this.#options;
    const abort = (): void => this.#received.reject(signal?.reason as Error);
    signal?.addEventListener('abort', abort, { once: true });
    try {
      signal?.throwIfAborted();
      return await this.#received.promise;
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  /** Stops listening. A stream in progress is aborted, and what has arrived of it is kept. */
  async close(): Promise<void> {
    await closeWithConnections(this.#server, async () => {
      this.#current?.request.destroy();
      await this.#current?.ended;
    });
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    // A broken connection is handled where the stream is read.
    response.on('error', () => undefined);
    if (!this.#trusts(request.socket as TLSSocket)) {
      response.writeHead(403).end();
      return;
    }
    switch (`${request.method} ${request.url}`) {
      case `HEAD ${COPY_PATH}`:
        return this.#afterwards(request, () => this.#tellState(response));
      case `GET ${ARRIVED_PATH}`:
        return this.#afterwards(request, () => this.#listFiles(response));
      case `POST ${COPY_PATH}`:
        return this.#afterwards(request, () => this.#take(new BodyExchange(request, response)));
      default:
        response.writeHead(404).end();
    }
  }

  #upgrade(request: IncomingMessage, socket: TLSSocket): void {
    const { method, url, headers } = request;
    const isOffer = method === 'POST' && url === COPY_PATH && headers.upgrade === STREAM_PROTOCOL;
    if (!this.#trusts(socket) || !isOffer) {
      void refuseUpgrade(request, socket, isOffer ? 403 : 404);
      return;
    }
    const exchange = new UpgradedExchange(request, socket);
    this.#afterwards(exchange, () => this.#take(exchange));
  }

  #trusts(socket: TLSSocket): boolean {
    if (this.#trusted.has(socket)) return true;
    this.#options.progress.note('client refused', { reason: String(socket.authorizationError ?? 'session resumed') });
    return false;
  }

  /** Serves one request at a time; the newest one replaces the others. */
  #afterwards(request: { destroy(): void }, work: () => Promise<void>): void {
    const previous = this.#current;
    previous?.request.destroy();
    this.#current = { request, ended: (previous?.ended ?? Promise.resolve()).then(work) };
  }

  async #tellState(response: ServerResponse): Promise<void> {
    try {
      response.writeHead(200, stateHeaders({ ...(await this.#options.target.state()), takesUpgrades: true })).end();
    } catch (error) {
      await this.#refuse((...answer) => reply(response, ...answer), asTransferError(error));
    }
  }

  async #listFiles(response: ServerResponse): Promise<void> {
    try {
      response.end(await this.#options.target.arrivedFiles());
    } catch (error) {
      await this.#refuse((...answer) => reply(response, ...answer), asTransferError(error));
    }
  }

  async #take(exchange: Exchange): Promise<void> {
    const { progress } = this.#options;
    progress.restart();
    progress.recovered();
    try {
      const [digest, clone] = await this.#receive(exchange);
      await exchange.reply(200, digest);
      progress.enter('done');
      this.#received.resolve(clone);
    } catch (error) {
      const failure = exchange.isBroken() ? connectionFailure(error, 'the source') : asTransferError(error);
      await this.#refuse((...answer) => exchange.reply(...answer), failure);
    }
  }

  async #refuse(answer: Exchange['reply'], failure: TransferError): Promise<void> {
    const { code, message, permanent } = failure;
    await answer(permanent ? 422 : 503, { code, message });
    if (permanent) this.#received.reject(failure);
    else this.#options.progress.failed(failure, 0);
  }

  async #receive(exchange: Exchange): Promise<[StreamDigest, ReceivedClone]> {
    const { progress, target } = this.#options;
    const offer = parseOffer(exchange.headers);
    const receiver = await target.receiverFor(offer);
    try {
      await receiver.begin(offer);
      exchange.accept();
      progress.enter('copying', { ...offer });
      const digest = await exchange.receive((piece) => receiver.write(piece));
      progress.enter('syncing');
      const clone = await receiver.finish();
      return [digest, { ...clone, ...(offer.allocation && { allocation: offer.allocation }) }];
    } catch (error) {
      const leave = exchange.isBroken() ? receiver.suspend() : receiver.abandon();
      await leave.catch((reason: unknown) => progress.note('not left as it should be', { reason: String(reason) }));
      throw error;
    }
  }
}
