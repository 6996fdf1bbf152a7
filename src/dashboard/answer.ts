import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { securityHeaders } from './headers.ts';
import { html } from './view/html.ts';
import { documentMarkup } from './view/page.ts';

/** Bytes from which on an answer is compressed. */
const SMALLEST_COMPRESSED = 4096;

export const HTML_TYPE = 'text/html; charset=utf-8';

/** Answers with a whole body; nothing is sent where the client has left. */
export async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  type: string,
  body: Buffer | string,
  headers: OutgoingHttpHeaders = {},
): Promise<void> {
  let bytes = Buffer.from(body);
  const accepts = String(request.headers['accept-encoding'] ?? '').includes('gzip');
  const isCompressed = accepts && bytes.length >= SMALLEST_COMPRESSED;
  if (isCompressed) bytes = await promisify(gzip)(bytes, { level: 3 });
  if (response.destroyed || response.headersSent) return;
  response.writeHead(status, {
    ...securityHeaders,
    ...headers,
    'content-type': type,
    'content-length': bytes.length,
    vary: 'accept-encoding',
    ...(isCompressed && { 'content-encoding': 'gzip' }),
  });
  response.end(request.method === 'HEAD' ? undefined : bytes);
}

/**
 * Answers with a page that says in a sentence what is wrong, and what to do.
 *
 * @param sentence in the words of a message: it begins with a small letter and has no full stop
 */
export async function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  sentence: string,
  headers?: OutgoingHttpHeaders,
): Promise<void> {
  const said = sentence.replace(/^./, (first) => first.toUpperCase()).replace(/\.?$/, '.');
  const body = html`<main class="message">
    <h1>Diskpress</h1>
    <p>${said}</p>
  </main>`;
  await respond(request, response, status, HTML_TYPE, documentMarkup('Not shown', body, false), headers);
}
