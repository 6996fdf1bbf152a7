import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { TransferError } from '../../base/errors.ts';
import {
  ARRIVED_PATH,
  type CloneOffer,
  cloneRefusal,
  COPY_PATH,
  offerHeaders,
  parseState,
  streamDigest,
  type TargetState,
} from './copy-protocol.ts';
import { limitedBody } from './limited-body.ts';
import { connectionFailure, tlsSettings, type TransferIdentity, untrusted, watchConnection } from './peer.ts';
import { compareDigests, PieceWriter, type StreamDigest } from './piece-stream.ts';

/** Address of the copy server, and the credentials of the client. */
export interface CopyServerAddress {
  host: string;
  port: number;
  /** Name in the server's certificate, where it is not `host`. */
  serverName?: string;
  identity: TransferIdentity;
}

/** Longest response that is a digest or a refusal, in bytes. */
const LONGEST_DOCUMENT = 64 * 1024;
/** Longest list of arrived files in bytes, which is one or two million files. A longer one does not fit into memory. */
const LONGEST_LIST = 128 * 1024 * 1024;

/** The stream to send; each buffer stays valid until the next one is requested. */
export type CloneStream = AsyncIterable<Buffer>;

/**
 * Milliseconds until a connection attempt without any answer is abandoned. It has to be repeated from another port: an
 * attempt that was made before the node knew the pod of the Service stays lost, however often the kernel retransmits.
 */
const CONNECT_TIMEOUT_MILLISECONDS = 2_000;
/** Milliseconds until a server that has accepted the connection has to answer the handshake. */
const HANDSHAKE_TIMEOUT_MILLISECONDS = 10_000;
/** Milliseconds after which a target that accepts no more data, while there is more to send, counts as stalled. */
const STALL_TIMEOUT_MILLISECONDS = 300_000;

/**
 * Asks the server what its target is, and what has arrived already.
 *
 * @throws TransferError ConnectionRefused, HostLookupFailed, … while the server is not up; CertificateUntrusted
 */
export async function askTarget(server: CopyServerAddress, signal?: AbortSignal): Promise<TargetState> {
  return ask(server, 'HEAD', COPY_PATH, signal, async (response) => {
    response.resume();
    const state = parseState(response.headers);
    if (state) return state;
    throw new TransferError(
      'ProtocolViolation',
      `${server.host} is not the target of a copy: it does not say what it writes`,
    );
  });
}

/**
 * Requests the list of the files of a tree that have arrived, in the format of arrived-files.ts.
 *
 * @throws TransferError as askTarget does
 */
export async function askArrivedFiles(server: CopyServerAddress, signal?: AbortSignal): Promise<Buffer> {
  return ask(server, 'GET', ARRIVED_PATH, signal, (response) => limitedBody(response, LONGEST_LIST, server.host));
}

async function ask<Answer>(
  server: CopyServerAddress,
  method: string,
  path: string,
  signal: AbortSignal | undefined,
  read: (response: IncomingMessage) => Promise<Answer>,
): Promise<Answer> {
  const request = open(server, method, path, {}, signal);
  try {
    const answer = responseOf(request);
    request.end();
    const response = await answer;
    if (response.statusCode === 200) return await read(response);
    if (response.statusCode === 403) throw untrusted(server.host);
    throw await refusal(response, server);
  } catch (error) {
    signal?.throwIfAborted();
    throw connectionFailure(error, server.host);
  } finally {
    request.destroy();
  }
}

/**
 * Sends one stream and waits until the server has made it durable.
 *
 * @param content creates the stream, once the server has accepted the offer
 * @returns the digest on which both ends agree
 * @throws TransferError the server's refusal, a failure of the connection, or what `content` throws
 */
export async function sendCopy(
  server: CopyServerAddress,
  offer: CloneOffer,
  content: () => CloneStream,
  signal?: AbortSignal,
): Promise<StreamDigest> {
  const headers = { ...offerHeaders(offer), expect: '100-continue', 'transfer-encoding': 'chunked' };
  const request = open(server, 'POST', COPY_PATH, headers, signal);
  try {
    const answer = responseOf(request);
    const accepted = new Promise<undefined>((resolve) => request.once('continue', () => resolve(undefined)));
    request.flushHeaders();
    let response = await Promise.race([accepted, answer]);
    if (!response) {
      request.setTimeout(STALL_TIMEOUT_MILLISECONDS);
      const sent = await send(request, content(), answer);
      // The server may need long to make everything durable; keep-alive probes watch the connection.
      request.setTimeout(0);
      response = await answer;
      if (sent && response.statusCode === 200) {
        compareDigests(sent, streamDigest.parse(await readDocument(response, server)));
        return sent;
      }
    }
    throw await refusal(response, server);
  } catch (error) {
    signal?.throwIfAborted();
    throw connectionFailure(error, server.host);
  } finally {
    request.destroy();
  }
}

function open(
  server: CopyServerAddress,
  method: string,
  path: string,
  headers: OutgoingHttpHeaders,
  signal: AbortSignal | undefined,
): ClientRequest {
  const { host, port, serverName = host, identity } = server;
  const request = httpsRequest({
    ...tlsSettings,
    host,
    port,
    servername: serverName,
    method,
    path,
    // A server that answers early must not close the connection while the client is writing.
    headers: { ...headers, connection: 'keep-alive' },
    agent: false,
    ca: identity.ca,
    cert: identity.certificate,
    key: identity.key,
    ...(signal && { signal }),
  });
  request.once('socket', (socket) => {
    watchConnection(socket as TLSSocket);
    boundConnecting(request, socket as TLSSocket);
  });
  request.on('timeout', () => request.destroy(timedOut()));
  return request;
}

/** Limits the time to connect, because the timeout of a request starts only once it is connected. */
function boundConnecting(request: ClientRequest, socket: TLSSocket): void {
  const giveUp = setTimeout(() => request.destroy(timedOut()), CONNECT_TIMEOUT_MILLISECONDS);
  socket.once('close', () => clearTimeout(giveUp));
  socket.once('connect', () => {
    clearTimeout(giveUp);
    request.setTimeout(HANDSHAKE_TIMEOUT_MILLISECONDS);
  });
  // The server may need long to inspect its volume before it answers.
  socket.once('secureConnect', () => request.setTimeout(STALL_TIMEOUT_MILLISECONDS));
}

function responseOf(request: ClientRequest): Promise<IncomingMessage> {
  const answer = new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve);
    request.on('error', reject);
    request.once('close', () => reject(new Error('the connection was closed')));
  });
  // Awaited later; until then a failure surfaces where the body is written.
  answer.catch(() => undefined);
  return answer;
}

/**
 * @returns the digest of what was sent; undefined where the server answered, or the connection broke, before the end
 */
async function send(
  request: ClientRequest,
  content: CloneStream,
  answer: Promise<IncomingMessage>,
): Promise<StreamDigest | undefined> {
  let over = false;
  // After an early answer or a broken connection, a pending write may never complete.
  let stopWaiting = (): void => undefined;
  const stop = (): void => {
    over = true;
    stopWaiting();
  };
  answer.then(stop, stop);
  const writer = new PieceWriter(
    (bytes) =>
      new Promise<void>((resolve, reject) => {
        if (over) {
          resolve();
          return;
        }
        stopWaiting = resolve;
        request.write(bytes, (error) => (error ? reject(error) : resolve()));
      }),
  );
  for await (const bytes of content) {
    if (over) return undefined;
    await writer.add(bytes);
  }
  const digest = await writer.end();
  request.end();
  return digest;
}

async function readDocument(response: IncomingMessage, { host }: CopyServerAddress): Promise<unknown> {
  return JSON.parse((await limitedBody(response, LONGEST_DOCUMENT, host)).toString());
}

async function refusal(response: IncomingMessage, server: CopyServerAddress): Promise<TransferError> {
  const { host } = server;
  const parsed = cloneRefusal.safeParse(await readDocument(response, server).catch(() => undefined));
  if (parsed.success) return new TransferError(parsed.data.code, parsed.data.message);
  return new TransferError('ProtocolViolation', `${host} answered ${response.statusCode} without a reason`);
}

function timedOut(): Error {
  return Object.assign(new Error('timed out'), { code: 'ETIMEDOUT' });
}
