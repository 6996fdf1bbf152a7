import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { TLSSocket } from 'node:tls';
import { asTransferError, type TransferError } from '../../base/errors.ts';
import type { Progress } from '../../base/progress.ts';
import { closeWithConnections, listen } from '../../server/listen.ts';
import { ARRIVED_PATH, type CloneRefusal, COPY_PATH, parseOffer, stateHeaders } from './copy-protocol.ts';
import type { CloneReceiver, CloneTarget, ReceivedClone } from './copy-receiver.ts';
import { connectionFailure, tlsSettings, type TransferIdentity, watchConnection } from './peer.ts';
import { PIECE_LENGTH, PieceReader, type StreamDigest } from './piece-stream.ts';

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

/** How long a response may take to reach the client before the server stops, in milliseconds. */
const ANSWER_GRACE = 5000;
const HANDSHAKE_TIMEOUT_MILLISECONDS = 10_000;

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
  #current: { request: IncomingMessage; ended: Promise<void> } | undefined;

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
    const socket = request.socket as TLSSocket;
    if (!this.#trusted.has(socket)) {
      this.#options.progress.note('client refused', { reason: String(socket.authorizationError ?? 'session resumed') });
      response.writeHead(403).end();
      return;
    }
    switch (`${request.method} ${request.url}`) {
      case `HEAD ${COPY_PATH}`:
        return this.#afterwards(request, () => this.#tellState(response));
      case `GET ${ARRIVED_PATH}`:
        return this.#afterwards(request, () => this.#listFiles(response));
      case `POST ${COPY_PATH}`:
        return this.#afterwards(request, () => this.#take(request, response));
      default:
        response.writeHead(404).end();
    }
  }

  /** Serves one request at a time; the newest one replaces the others. */
  #afterwards(request: IncomingMessage, work: () => Promise<void>): void {
    const previous = this.#current;
    previous?.request.destroy();
    this.#current = { request, ended: (previous?.ended ?? Promise.resolve()).then(work) };
  }

  async #tellState(response: ServerResponse): Promise<void> {
    try {
      response.writeHead(200, stateHeaders(await this.#options.target.state())).end();
    } catch (error) {
      await this.#refuse(response, asTransferError(error));
    }
  }

  async #listFiles(response: ServerResponse): Promise<void> {
    try {
      response.end(await this.#options.target.arrivedFiles());
    } catch (error) {
      await this.#refuse(response, asTransferError(error));
    }
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { progress } = this.#options;
    progress.restart();
    progress.recovered();
    try {
      const [digest, clone] = await this.#receive(request, response);
      await reply(response, 200, digest);
      progress.enter('done');
      this.#received.resolve(clone);
    } catch (error) {
      const broken = isBroken(request);
      await this.#refuse(response, broken ? connectionFailure(error, 'the source') : asTransferError(error));
    }
  }

  async #refuse(response: ServerResponse, failure: TransferError): Promise<void> {
    const { code, message, permanent } = failure;
    await reply(response, permanent ? 422 : 503, { code, message });
    if (permanent) this.#received.reject(failure);
    else this.#options.progress.failed(failure, 0);
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<[StreamDigest, ReceivedClone]> {
    const { progress, target } = this.#options;
    const offer = parseOffer(request.headers);
    const receiver = await target.receiverFor(offer);
    try {
      await receiver.begin(offer);
      response.writeContinue();
      progress.enter('copying', { ...offer });
      const digest = await readBody(request, receiver);
      progress.enter('syncing');
      const clone = await receiver.finish();
      return [digest, { ...clone, ...(offer.allocation && { allocation: offer.allocation }) }];
    } catch (error) {
      const leave = isBroken(request) ? receiver.suspend() : receiver.abandon();
      await leave.catch((reason: unknown) => progress.note('not left as it should be', { reason: String(reason) }));
      throw error;
    }
  }
}

/** Whether the client disconnected in the middle of its stream. */
function isBroken(request: IncomingMessage): boolean {
  return request.destroyed && !request.complete;
}

/**
 * Reads a body to its end.
 *
 * When the receiver fails, the connection is kept, so that the client can be told why.
 */
async function readBody(request: IncomingMessage, receiver: CloneReceiver): Promise<StreamDigest> {
  const reader = new PieceReader((piece) => receiver.write(piece));
  let digest: StreamDigest | undefined;
  const collector = new Writable({
    highWaterMark: PIECE_LENGTH,
    write: (chunk: Buffer, _encoding, done) => {
      try {
        const busy = reader.add(chunk);
        if (busy) busy.then(() => done(), done);
        else done();
      } catch (error) {
        done(error as Error);
      }
    },
    final: (done) => {
      reader.end().then((complete) => {
        digest = complete;
        done();
      }, done);
    },
  });
  const taken = finished(collector);
  request.pipe(collector);
  // When the connection breaks, the body neither ends nor makes the collector fail by itself.
  await Promise.race([taken, finished(request).then(() => taken)]).finally(async () => {
    request.unpipe(collector);
    collector.destroy();
    taken.catch(() => undefined);
    await reader.settle();
  });
  if (!digest) throw new Error('a body that ended without its end');
  return digest;
}

/** Responds, and waits until the response has been sent or cannot be. */
async function reply(response: ServerResponse, status: number, body: StreamDigest | CloneRefusal): Promise<void> {
  if (response.destroyed || response.headersSent || response.socket === null || response.socket.destroyed) return;
  const { req: request } = response;
  // What the client still sends is discarded, so that it gets to read the response.
  request.resume();
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
  const socket = response.socket as TLSSocket;
  if (!socket.destroyed)
    await once(socket, 'close', { signal: AbortSignal.timeout(ANSWER_GRACE) }).catch(() => undefined);
}
