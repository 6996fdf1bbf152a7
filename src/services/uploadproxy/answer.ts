import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { RECEIVED_HEADER } from '../../server/upload-protocol.ts';
import { corsHeaders } from './cors.ts';
import type { Answer } from './exchange.ts';
import type { Refusal } from './refusal.ts';

/** Headers of an upload server's answer that the client gets. */
const passedOn = ['content-type', 'retry-after', RECEIVED_HEADER];

/**
 * Milliseconds for which a client that has got its answer may go on sending, before its connection is closed. A
 * connection that is closed earlier is reset, whereupon the client may never see the answer.
 */
const LINGER_MILLISECONDS = 5_000;

/** Passes an upload server's answer on to the client. */
export async function passOn(request: IncomingMessage, response: ServerResponse, answer: Answer): Promise<void> {
  const headers: OutgoingHttpHeaders = {};
  for (const name of passedOn) if (answer.headers[name] !== undefined) headers[name] = answer.headers[name];
  await respond(request, response, answer.status, headers, answer.body);
}

/** Answers with a refusal's sentence. */
export async function refuse(request: IncomingMessage, response: ServerResponse, refusal: Refusal): Promise<void> {
  const headers = { 'content-type': 'text/plain; charset=utf-8', ...refusal.headers };
  const sentence = refusal.message.replace(/^./, (first) => first.toUpperCase()).replace(/\.?$/, '.');
  await respond(request, response, refusal.status, headers, Buffer.from(`${sentence}\n`));
}

/** Answers a request, and closes its connection where its body has not been received by then. */
export async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  headers: OutgoingHttpHeaders,
  body: Buffer,
): Promise<void> {
  if (response.destroyed || response.headersSent) return;
  const isWhole = request.complete || isBodyless(request);
  response.writeHead(status, {
    ...corsHeaders,
    ...headers,
    ...(request.method !== 'HEAD' && { 'content-length': body.length }),
    ...(!isWhole && { connection: 'close' }),
  });
  if (isWhole) {
    response.end(body);
    return;
  }
  // The answer is complete by its length; the connection is closed by the end of the response.
  response.write(body);
  await discard(request);
  response.end();
}

/** Reads what is left of a request, for a while. */
async function discard(request: IncomingMessage): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, LINGER_MILLISECONDS);
    const stop = (): void => {
      clearTimeout(timer);
      resolve();
    };
    request.once('end', stop).once('close', stop).resume();
  });
}

function isBodyless({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) === 0;
}
