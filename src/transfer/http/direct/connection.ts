import { once } from 'node:events';
import { request, type ClientRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import type { HttpBody } from '../body.ts';
import { ConnectionClosed } from './connection-closed.ts';
import { KnownLengthBody } from './known-length-body.ts';
import { ParsedBody } from './parsed-body.ts';
import { ReceivedBytes } from './received-bytes.ts';
import { Wire } from './wire.ts';

const END_OF_HEAD = '\r\n\r\n';
const START_OF_HEAD = 'HTTP/';
const bodiless = new Set([204, 304]);
/** More than `node:http` takes. */
const LONGEST_HEAD = 64 * 1024;

export interface ConnectionTimeouts {
  /** In milliseconds. */
  connect: number;
  headers: number;
  body: number;
}

export interface DirectAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  body: HttpBody;
}

/**
 * A connection to a web server for one request after the other. What answers say is left to `node:http`; bodies of known
 * length go past it, without a copy.
 */
export class DirectConnection {
  /** Resolves when it has been closed, by either side. */
  readonly closed: Promise<unknown>;
  readonly #socket: Socket;
  readonly #received: ReceivedBytes;
  readonly #timeouts: ConnectionTimeouts;
  #isAnswered = false;

  private constructor(socket: Socket, received: ReceivedBytes, timeouts: ConnectionTimeouts) {
    this.closed = new Promise((resolve) => socket.once('close', resolve));
    this.#socket = socket;
    this.#received = received;
    this.#timeouts = timeouts;
  }

  /** @param tls for https */
  static async open(
    origin: URL,
    tls: ConnectionOptions,
    timeouts: ConnectionTimeouts,
    signal: AbortSignal | undefined,
  ): Promise<DirectConnection> {
    const secure = origin.protocol === 'https:';
    const received = new ReceivedBytes();
    const host = origin.hostname.replace(/^\[(.*)\]$/, '$1');
    const port = Number(origin.port) || (secure ? 443 : 80);
    const options = { host, port, onread: received.onread, noDelay: true, keepAlive: true };
    const names = { servername: isIP(host) === 0 ? host : '', ALPNProtocols: ['http/1.1'] };
    const socket = secure ? connectTls({ ...options, ...names, ...tls }) : connectTcp(options);
    received.attach(socket);
    const overdue = AbortSignal.timeout(timeouts.connect);
    try {
      const ends = signal === undefined ? overdue : AbortSignal.any([overdue, signal]);
      await once(socket, secure ? 'secureConnect' : 'connect', { signal: ends });
    } catch (error) {
      socket.destroy();
      if (overdue.aborted) throw Object.assign(new Error('no connection in time'), { code: 'ETIMEDOUT' });
      throw error;
    }
    return new DirectConnection(socket, received, timeouts);
  }

  /** Whether another request can be made. */
  get isUsable(): boolean {
    return !this.#socket.destroyed && this.#socket.readable && this.#received.isEmpty;
  }

  /** Whether the other side has sent anything since the last request. */
  get isAnswered(): boolean {
    return this.#isAnswered;
  }

  /**
   * @param headers in lower case
   * @param onFree called when the next request can be made
   * @throws ConnectionClosed, Stalled, and what the socket or the parser of `node:http` fails with
   */
  async get(url: URL, headers: Record<string, string>, onFree: () => void): Promise<DirectAnswer> {
    this.#isAnswered = false;
    const wire = new Wire({ send: (bytes, sent) => this.#socket.write(bytes, sent) });
    const exchange = request({
      createConnection: () => wire,
      path: url.pathname + url.search,
      headers: { host: url.host, connection: 'keep-alive', ...headers },
    });
    try {
      const response = await this.#response(exchange, wire);
      const { statusCode: status = 0, headers: received } = response;
      return { status, headers: received, body: this.#body(exchange, response, wire, onFree) };
    } catch (error) {
      exchange.destroy();
      this.close();
      throw error;
    }
  }

  close(): void {
    this.#socket.destroy();
  }

  async #response(exchange: ClientRequest, wire: Wire): Promise<IncomingMessage> {
    const failed = new Promise<never>((_, reject) => {
      exchange.on('error', reject);
    });
    failed.catch(() => {});
    const next = () =>
      new Promise<IncomingMessage | undefined>((resolve) => {
        exchange.once('response', resolve);
        exchange.once('information', () => {
          resolve(undefined);
        });
      });
    exchange.end();
    for (;;) {
      const answered = next();
      await wire.give(await this.#head());
      const response = await Promise.race([answered, failed]);
      if (response === undefined) continue;
      // That it is not given the body is no failure.
      response.on('error', () => {});
      return response;
    }
  }

  /** All up to the empty line, or what cannot be the start of an answer. */
  async #head(): Promise<Buffer> {
    let head = Buffer.alloc(0);
    for (;;) {
      const bytes = await this.#received.take(LONGEST_HEAD, this.#timeouts.headers);
      if (bytes.length === 0) throw new ConnectionClosed('the connection was closed before there was an answer');
      this.#isAnswered = true;
      head = Buffer.concat([head, bytes]);
      const end = head.indexOf(END_OF_HEAD) + END_OF_HEAD.length;
      if (end >= END_OF_HEAD.length) {
        this.#received.putBack(head.length - end);
        return head.subarray(0, end);
      }
      const start = head.toString('latin1', 0, START_OF_HEAD.length);
      if (!START_OF_HEAD.startsWith(start) || head.length >= LONGEST_HEAD) return head;
    }
  }

  #body(exchange: ClientRequest, response: IncomingMessage, wire: Wire, onFree: () => void): HttpBody {
    const stream = {
      received: this.#received,
      timeout: this.#timeouts.body,
      close: () => {
        this.close();
      },
    };
    const length = lengthOf(response);
    if (length === undefined) return new ParsedBody(stream, response, wire);
    exchange.destroy();
    const staysOpen = response.httpVersion === '1.1' && !/\bclose\b/i.test(response.headers.connection ?? '');
    return new KnownLengthBody(stream, length, staysOpen ? onFree : stream.close);
  }
}

/** Of the body as it comes, RFC 9112 section 6.3; undefined where the parser finds its end. */
function lengthOf({ statusCode = 0, headers }: IncomingMessage): number | undefined {
  const length = headers['content-length'];
  const isPlain = headers['transfer-encoding'] === undefined && length !== undefined;
  return isPlain && !bodiless.has(statusCode) ? Number(length) : undefined;
}
