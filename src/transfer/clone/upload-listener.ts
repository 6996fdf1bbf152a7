import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { TLSSocket } from 'node:tls';
import { asTransferError } from '../errors.ts';
import type { Progress } from '../progress.ts';
import {
  parseDigestTrailers,
  parseOffer,
  UPLOAD_PATH,
  VOLUME_MODE_HEADER,
  type CloneOffer,
  type CloneRefusal,
  type VolumeMode,
} from './clone-protocol.ts';
import type { CloneReceiver, ReceivedClone } from './clone-receiver.ts';
import { connectionFailure, tlsSettings, watchConnection, type TransferIdentity } from './peer.ts';
import { PIECE_LENGTH, PieceGatherer } from './piece-gatherer.ts';
import { compareDigests, StreamDigester, type StreamDigest } from './stream-digest.ts';

export interface UploadListenerOptions {
  /** 0 for any free port. */
  port: number;
  /** All addresses, where it is missing. */
  host?: string;
  identity: TransferIdentity;
  volumeMode: VolumeMode;
  /** Who writes what is offered. @throws TransferError UnsupportedClone */
  receiverFor(offer: CloneOffer): CloneReceiver;
  progress: Progress;
  signal?: AbortSignal;
}

/** How long an answer may take to reach the source before the server stops. */
const ANSWER_GRACE = 5000;
const HANDSHAKE_TIMEOUT = 10_000;

/**
 * Takes one clone over mutual TLS. Streams that break are forgotten and the next one is awaited; a source that comes again takes
 * the place of its earlier stream, which may be a connection that died without a word.
 */
export class UploadListener {
  readonly #options: UploadListenerOptions;
  readonly #server: Server;
  readonly #received = Promise.withResolvers<ReceivedClone>();
  /** Connections of the clone's source. */
  readonly #trusted = new WeakSet<TLSSocket>();
  #stream: { request: IncomingMessage; ended: Promise<void> } | undefined;

  constructor(options: UploadListenerOptions) {
    this.#options = options;
    const { identity, progress } = options;
    this.#server = createServer({
      ...tlsSettings,
      ca: identity.ca,
      cert: identity.certificate,
      key: identity.key,
      requestCert: true,
      // A client without the right certificate is told so, where a handshake that fails would only look like a broken
      // connection to it. Nothing but that answer is given before its certificate has been looked at.
      rejectUnauthorized: false,
      // A clone takes as long as it takes.
      requestTimeout: 0,
      handshakeTimeout: HANDSHAKE_TIMEOUT,
    });
    this.#server.on('secureConnection', (socket) => {
      watchConnection(socket);
      // Only a whole handshake has looked at a certificate; a clone's source never resumes a session.
      if (socket.authorized && socket.isSessionReused() === false) this.#trusted.add(socket);
    });
    this.#server.on('tlsClientError', (error: Error) => progress.note('handshake failed', { reason: error.message }));
    const answer = (request: IncomingMessage, response: ServerResponse): void => this.#answer(request, response);
    this.#server.on('request', answer);
    this.#server.on('checkContinue', answer);
  }

  /** Starts to listen; returns the port. */
  async listen(): Promise<number> {
    this.#server.listen(this.#options.port, this.#options.host);
    await once(this.#server, 'listening');
    const address = this.#server.address();
    return typeof address === 'object' && address ? address.port : this.#options.port;
  }

  /**
   * Waits until a clone is complete and durable, and its source has been told.
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

  /** Stops listening; a stream under way is broken off, and what it left is removed. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#stream?.request.destroy();
    await this.#stream?.ended;
    this.#server.closeAllConnections();
    await closed;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    // A connection that breaks is noticed where the stream is read.
    response.on('error', () => undefined);
    const socket = request.socket as TLSSocket;
    if (!this.#trusted.has(socket)) {
      this.#options.progress.note('client refused', { reason: String(socket.authorizationError ?? 'session resumed') });
      response.writeHead(403).end();
    } else if (request.url !== UPLOAD_PATH) {
      response.writeHead(404).end();
    } else if (request.method === 'HEAD') {
      response.writeHead(200, { [VOLUME_MODE_HEADER]: this.#options.volumeMode }).end();
    } else if (request.method === 'POST') {
      const previous = this.#stream;
      previous?.request.destroy();
      const ended = (previous?.ended ?? Promise.resolve()).then(() => this.#take(request, response));
      this.#stream = { request, ended };
    } else {
      response.writeHead(405).end();
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
      const broken = request.destroyed && !request.complete;
      const failure = broken ? connectionFailure(error, 'the source') : asTransferError(error);
      await reply(response, failure.permanent ? 422 : 503, { code: failure.code, message: failure.message });
      if (failure.permanent) this.#received.reject(failure);
      else progress.failed(failure, 0);
    }
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<[StreamDigest, ReceivedClone]> {
    const { progress } = this.#options;
    const offer = parseOffer(request.headers);
    const receiver = this.#options.receiverFor(offer);
    try {
      await receiver.begin(offer);
      response.writeContinue();
      progress.enter('copying', { ...offer });
      const digester = new StreamDigester();
      await readBody(request, async (piece) => {
        digester.update(piece);
        await receiver.write(piece);
      });
      const digest = digester.digest();
      compareDigests(parseDigestTrailers(request.trailers), digest);
      progress.enter('syncing');
      return [digest, await receiver.finish()];
    } catch (error) {
      await receiver.abandon().catch((reason: unknown) => {
        progress.note('not cleaned up', { reason: String(reason) });
      });
      throw error;
    }
  }
}

/**
 * Reads a body to its end, in large pieces that are valid until `take` returns.
 *
 * When `take` fails the connection is left alone: the source is to be told why.
 */
async function readBody(request: IncomingMessage, take: (piece: Buffer) => Promise<void>): Promise<void> {
  const gatherer = new PieceGatherer(take);
  const collector = new Writable({
    highWaterMark: PIECE_LENGTH,
    write: (chunk: Buffer, _encoding, done) => void gatherer.add(chunk).then(() => done(), done),
    final: (done) => void gatherer.flush().then(() => done(), done),
  });
  const taken = finished(collector);
  request.pipe(collector);
  // Where the connection breaks, the body neither ends nor fails the collector by itself.
  await Promise.race([taken, finished(request).then(() => taken)]).finally(() => {
    request.unpipe(collector);
    collector.destroy();
    taken.catch(() => undefined);
  });
}

/** Answers, and waits until the answer is on its way or cannot be. */
async function reply(response: ServerResponse, status: number, body: StreamDigest | CloneRefusal): Promise<void> {
  if (response.destroyed || response.socket === null || response.socket.destroyed) return;
  const { req: request } = response;
  // Whatever the source still sends is passed over, so that it gets to read the answer.
  request.resume();
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
  const socket = response.socket as TLSSocket;
  if (!socket.destroyed)
    await once(socket, 'close', { signal: AbortSignal.timeout(ANSWER_GRACE) }).catch(() => undefined);
}
