import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { TransferError } from '../../base/errors.ts';
import { cloneRefusal } from './copy-protocol.ts';
import { limitedBody } from './limited-body.ts';
import { tlsSettings, type TransferIdentity, watchConnection } from './peer.ts';

/** Address of the copy server, and the credentials of the client. */
export interface CopyServerAddress {
  host: string;
  port: number;
  /** Name in the server's certificate, where it is not `host`. */
  serverName?: string;
  identity: TransferIdentity;
  /** Whether it has said that it takes a stream as the rest of a connection. */
  takesUpgrades?: boolean | undefined;
}

/** Longest response that is a digest or a refusal, in bytes. */
const LONGEST_DOCUMENT = 64 * 1024;
/**
 * Milliseconds until a connection attempt without any answer is abandoned. It has to be repeated from another port: an
 * attempt that was made before the node knew the pod of the Service stays lost, however often the kernel retransmits.
 */
const CONNECT_TIMEOUT_MILLISECONDS = 2_000;
/** Milliseconds until a server that has accepted the connection has to answer the handshake. */
const HANDSHAKE_TIMEOUT_MILLISECONDS = 10_000;
/** Milliseconds after which a target that accepts no more data, while there is more to send, counts as stalled. */
export const STALL_TIMEOUT_MILLISECONDS = 300_000;

/** Begins a request on a connection of its own. */
export function openRequest(
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
    headers: { connection: 'keep-alive', ...headers },
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

/** Returns the response. Its failure need not be handled. */
export function responseOf(request: ClientRequest): Promise<IncomingMessage> {
  const answer = new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve);
    request.on('error', reject);
    request.once('close', () => reject(new Error('the connection was closed')));
  });
  // Awaited later; until then a failure surfaces where the body is written.
  answer.catch(() => undefined);
  return answer;
}

/** Reads the JSON that a server answers with. */
export async function readDocument(body: AsyncIterable<Buffer>, { host }: CopyServerAddress): Promise<unknown> {
  return JSON.parse((await limitedBody(body, LONGEST_DOCUMENT, host)).toString());
}

/** Makes the failure that a response tells of. */
export async function refusal(response: IncomingMessage, server: CopyServerAddress): Promise<TransferError> {
  const document = await readDocument(response, server).catch(() => undefined);
  return (
    refusalIn(document) ??
    new TransferError('ProtocolViolation', `${server.host} answered ${response.statusCode} without a reason`)
  );
}

/** Makes the failure that a document tells of; undefined where it tells of none. */
export function refusalIn(document: unknown): TransferError | undefined {
  const { data } = cloneRefusal.safeParse(document);
  return data && new TransferError(data.code, data.message);
}

export function timedOut(): Error {
  return Object.assign(new Error('timed out'), { code: 'ETIMEDOUT' });
}
