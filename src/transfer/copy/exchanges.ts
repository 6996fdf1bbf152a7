import { once } from 'node:events';
import { type IncomingHttpHeaders, type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { type CloneRefusal, STREAM_PROTOCOL } from './copy-protocol.ts';
import type { StreamDigest } from './piece-stream.ts';
import { receivePieces } from './receive-pieces.ts';

/** How long a response may take to reach the client before the server stops, in milliseconds. */
const ANSWER_GRACE = 5000;

/** The stream of a client, from its offer to the answer. */
export interface Exchange {
  readonly headers: IncomingHttpHeaders;
  /** Requests the stream. */
  accept(): void;
  /** Reads the stream, as receivePieces does. */
  receive(take: (piece: Buffer) => Promise<void>): Promise<StreamDigest>;
  /** Whether the client disconnected in the middle of its stream. */
  isBroken(): boolean;
  /** Ends it, whatever its state. */
  destroy(): void;
  /** Responds, and waits until the response has been sent or cannot be. */
  reply(status: number, body: StreamDigest | CloneRefusal): Promise<void>;
}

/** A stream that is the body of a request. */
export class BodyExchange implements Exchange {
  readonly headers: IncomingHttpHeaders;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.headers = request.headers;
    this.#request = request;
    this.#response = response;
  }

  accept(): void {
    this.#response.writeContinue();
  }

  async receive(take: (piece: Buffer) => Promise<void>): Promise<StreamDigest> {
    return receivePieces(this.#request, take);
  }

  isBroken(): boolean {
    return this.#request.destroyed && !this.#request.complete;
  }

  destroy(): void {
    this.#request.destroy();
  }

  async reply(status: number, body: StreamDigest | CloneRefusal): Promise<void> {
    return reply(this.#response, status, body);
  }
}

/** A stream that is the rest of a connection, of which HTTP has nothing more to say. */
export class UpgradedExchange implements Exchange {
  readonly headers: IncomingHttpHeaders;
  readonly #socket: Socket;
  #isAccepted = false;

  constructor({ headers }: IncomingMessage, socket: Socket) {
    this.headers = headers;
    this.#socket = socket;
    // A broken connection is handled where the stream is read.
    socket.on('error', () => undefined);
  }

  accept(): void {
    this.#isAccepted = true;
    this.#socket.write(head(101, { connection: 'Upgrade', upgrade: STREAM_PROTOCOL }));
  }

  async receive(take: (piece: Buffer) => Promise<void>): Promise<StreamDigest> {
    return receivePieces(this.#socket, take);
  }

  isBroken(): boolean {
    return this.#socket.destroyed || this.#socket.readableEnded;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  async reply(status: number, body: StreamDigest | CloneRefusal): Promise<void> {
    const text = JSON.stringify(body);
    // Once it is accepted, the client takes everything for the answer.
    await this.end(this.#isAccepted ? text : head(status, documentHeaders(text)) + text);
  }

  /** Sends the last bytes, and waits until they have arrived or cannot. */
  async end(text: string): Promise<void> {
    if (this.#socket.destroyed || this.#socket.writableEnded) return;
    this.#socket.resume();
    this.#socket.end(text);
    await closed(this.#socket);
    // A server that stops waits for connections that have been upgraded, and does not end them.
    this.#socket.destroy();
  }
}

/** Responds, and waits until the response has been sent or cannot be. */
export async function reply(
  response: ServerResponse,
  status: number,
  body: StreamDigest | CloneRefusal,
): Promise<void> {
  if (response.destroyed || response.headersSent || response.socket === null || response.socket.destroyed) return;
  const { req: request } = response;
  // What the client still sends is discarded, so that it gets to read the response.
  request.resume();
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
  await closed(response.socket);
}

/** Refuses a connection to which nothing else is said. */
export async function refuseUpgrade(request: IncomingMessage, socket: Socket, status: number): Promise<void> {
  await new UpgradedExchange(request, socket).end(head(status, documentHeaders('')));
}

function documentHeaders(text: string): Record<string, string> {
  return { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)), connection: 'close' };
}

function head(status: number, headers: Record<string, string>): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n`;
}

async function closed(socket: Socket): Promise<void> {
  if (socket.destroyed) return;
  await once(socket, 'close', { signal: AbortSignal.timeout(ANSWER_GRACE) }).catch(() => undefined);
}
