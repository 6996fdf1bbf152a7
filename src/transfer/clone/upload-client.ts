import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { json } from 'node:stream/consumers';
import { TransferError } from '../errors.ts';
import {
  cloneRefusal,
  DIGEST_TRAILERS,
  digestTrailers,
  offerHeaders,
  streamDigest,
  UPLOAD_PATH,
  volumeMode,
  VOLUME_MODE_HEADER,
  type CloneOffer,
  type VolumeMode,
} from './clone-protocol.ts';
import { connectionFailure, tlsSettings, untrusted, watchConnection, type TransferIdentity } from './peer.ts';
import { PieceGatherer } from './piece-gatherer.ts';
import { compareDigests, StreamDigester, type StreamDigest } from './stream-digest.ts';

/** Where the upload server is, and how to prove who asks. */
export interface UploadServerAddress {
  host: string;
  port: number;
  /** The name in the server's certificate, where it is not `host`. */
  serverName?: string;
  identity: TransferIdentity;
}

/** What is sent; each buffer stays valid until the next one is asked for. */
export type CloneStream = AsyncIterable<Buffer>;

/** A connection attempt that gets no answer at all. */
const CONNECT_TIMEOUT = 10_000;
/** A target that takes nothing more for so long while there is more to send. */
const STALL_TIMEOUT = 300_000;

/**
 * Asks the server what it writes to.
 *
 * @throws TransferError ConnectionRefused, HostLookupFailed, … while the server is not there; CertificateUntrusted
 */
export async function askVolumeMode(server: UploadServerAddress, signal?: AbortSignal): Promise<VolumeMode> {
  const request = open(server, 'HEAD', {}, signal);
  request.setTimeout(CONNECT_TIMEOUT, () => request.destroy(timedOut()));
  try {
    const answer = responseOf(request);
    request.end();
    const response = await answer;
    response.resume();
    const mode = volumeMode.safeParse(response.headers[VOLUME_MODE_HEADER]);
    if (response.statusCode === 200 && mode.success) return mode.data;
    if (response.statusCode === 403) throw untrusted(server.host);
    throw new TransferError(
      'ProtocolViolation',
      `${server.host} is no upload server: it answers ${response.statusCode}`,
    );
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
 * @param content makes the stream, once the server has taken the offer
 * @returns what both ends agree was sent
 * @throws TransferError the server's refusal, a failure of the connection, or what `content` throws
 */
export async function uploadClone(
  server: UploadServerAddress,
  offer: CloneOffer,
  content: () => CloneStream,
  signal?: AbortSignal,
): Promise<StreamDigest> {
  const headers = { ...offerHeaders(offer), expect: '100-continue', trailer: DIGEST_TRAILERS };
  const request = open(server, 'POST', { ...headers, 'transfer-encoding': 'chunked' }, signal);
  try {
    const answer = responseOf(request);
    const accepted = new Promise<undefined>((resolve) => request.once('continue', () => resolve(undefined)));
    request.flushHeaders();
    let response = await Promise.race([accepted, answer]);
    if (!response) {
      request.setTimeout(STALL_TIMEOUT, () => request.destroy(timedOut()));
      const sent = await send(request, content(), answer);
      // From here on the server may take its time to make everything durable; keep-alive probes watch the connection.
      request.setTimeout(0);
      response = await answer;
      if (sent && response.statusCode === 200) {
        compareDigests(sent, streamDigest.parse(await json(response)));
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
  server: UploadServerAddress,
  method: string,
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
    path: UPLOAD_PATH,
    // A server that answers before it has everything must not close the connection under the source's hands.
    headers: { ...headers, connection: 'keep-alive' },
    agent: false,
    ca: identity.ca,
    cert: identity.certificate,
    key: identity.key,
    ...(signal && { signal }),
  });
  request.once('socket', watchConnection);
  return request;
}

function responseOf(request: ClientRequest): Promise<IncomingMessage> {
  const answer = new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve);
    request.on('error', reject);
    request.once('close', () => reject(new Error('the connection was closed')));
  });
  // It is awaited later; until then a failure shows where the body is written.
  answer.catch(() => undefined);
  return answer;
}

/** @returns what was sent; undefined where the server answered, or the connection broke, before all of it was. */
async function send(
  request: ClientRequest,
  content: CloneStream,
  answer: Promise<IncomingMessage>,
): Promise<StreamDigest | undefined> {
  const digester = new StreamDigester();
  let over = false;
  // What was being written when the server answered, or the connection broke, may never be reported as written.
  let stopWaiting = (): void => undefined;
  const stop = (): void => {
    over = true;
    stopWaiting();
  };
  answer.then(stop, stop);
  const gatherer = new PieceGatherer(async (piece) => {
    digester.update(piece);
    await new Promise<void>((resolve, reject) => {
      stopWaiting = resolve;
      request.write(piece, (error) => (error ? reject(error) : resolve()));
    });
  });
  for await (const buffer of content) {
    if (over) return undefined;
    await gatherer.add(buffer);
  }
  await gatherer.flush();
  const digest = digester.digest();
  request.addTrailers(digestTrailers(digest));
  request.end();
  return digest;
}

async function refusal(response: IncomingMessage, { host }: UploadServerAddress): Promise<TransferError> {
  const parsed = cloneRefusal.safeParse(await json(response).catch(() => undefined));
  if (parsed.success) return new TransferError(parsed.data.code, parsed.data.message);
  return new TransferError('ProtocolViolation', `${host} answered ${response.statusCode} without a reason`);
}

function timedOut(): Error {
  return Object.assign(new Error('timed out'), { code: 'ETIMEDOUT' });
}
