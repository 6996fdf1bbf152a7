import { type ClientRequest, IncomingMessage } from 'node:http';
import { addAbortSignal } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { TransferError } from '../../base/errors.ts';
import {
  ARRIVED_PATH,
  type CloneOffer,
  COPY_PATH,
  offerHeaders,
  parseState,
  STREAM_PROTOCOL,
  streamDigest,
  type TargetState,
} from './copy-protocol.ts';
import {
  type CopyServerAddress,
  openRequest,
  readDocument,
  refusal,
  refusalIn,
  responseOf,
  STALL_TIMEOUT_MILLISECONDS,
  timedOut,
} from './copy-request.ts';
import { limitedBody } from './limited-body.ts';
import { connectionFailure, untrusted } from './peer.ts';
import { compareDigests, type StreamDigest } from './piece-stream.ts';
import { type CloneStream, sendPieces } from './send-pieces.ts';

/** Longest list of arrived files in bytes, which is one or two million files. A longer one does not fit into memory. */
const LONGEST_LIST = 128 * 1024 * 1024;

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
  const request = openRequest(server, method, path, {}, signal);
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
  const isUpgrade = server.takesUpgrades === true;
  const request = openRequest(
    server,
    'POST',
    COPY_PATH,
    {
      ...offerHeaders(offer),
      ...(isUpgrade && { connection: 'Upgrade', upgrade: STREAM_PROTOCOL }),
      ...(!isUpgrade && { expect: '100-continue', 'transfer-encoding': 'chunked' }),
    },
    signal,
  );
  const answer = responseOf(request);
  const upgraded = connectionOf(request, signal);
  const accepted = new Promise<undefined>((resolve) => request.once('continue', () => resolve(undefined)));
  try {
    if (isUpgrade) request.end();
    else request.flushHeaders();
    const outcome = await Promise.race([upgraded, accepted, answer]);
    if (outcome instanceof IncomingMessage) throw await refusal(outcome, server);
    return await (outcome ? sendOver(outcome, server, content) : sendBody(request, server, content, answer));
  } catch (error) {
    signal?.throwIfAborted();
    throw connectionFailure(error, server.host);
  } finally {
    request.destroy();
  }
}

/** Sends the stream as the body of a request. */
async function sendBody(
  request: ClientRequest,
  server: CopyServerAddress,
  content: () => CloneStream,
  answer: Promise<IncomingMessage>,
): Promise<StreamDigest> {
  request.setTimeout(STALL_TIMEOUT_MILLISECONDS);
  const sent = await sendPieces(request, content(), answer);
  if (sent) request.end();
  // The server may need long to make everything durable; keep-alive probes watch the connection.
  request.setTimeout(0);
  const response = await answer;
  if (!sent || response.statusCode !== 200) throw await refusal(response, server);
  compareDigests(sent, streamDigest.parse(await readDocument(response, server)));
  return sent;
}

/** Sends the stream as the rest of a connection. */
async function sendOver(
  connection: TLSSocket,
  server: CopyServerAddress,
  content: () => CloneStream,
): Promise<StreamDigest> {
  try {
    connection.setTimeout(STALL_TIMEOUT_MILLISECONDS, () => connection.destroy(timedOut()));
    const answer = readDocument(connection, server);
    // Awaited below; until then a failure surfaces where the stream is written.
    answer.catch(() => undefined);
    const sent = await sendPieces(connection, content(), answer);
    connection.setTimeout(0);
    const document = await answer;
    const digest = streamDigest.safeParse(document).data;
    if (!sent || !digest) {
      throw refusalIn(document) ?? new TransferError('ProtocolViolation', `${server.host} answered without a reason`);
    }
    compareDigests(sent, digest);
    return sent;
  } finally {
    connection.destroy();
  }
}

/** Returns the connection that is left of a request once its upgrade has been accepted. */
function connectionOf(request: ClientRequest, signal: AbortSignal | undefined): Promise<TLSSocket> {
  return new Promise((resolve) => {
    request.once('upgrade', (_response, socket, begun) => {
      if (begun.length > 0) socket.unshift(begun);
      // A failure surfaces where the connection is read or written.
      socket.on('error', () => undefined);
      if (signal) addAbortSignal(signal, socket);
      resolve(socket as TLSSocket);
    });
  });
}
