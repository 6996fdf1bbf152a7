import { once } from 'node:events';
import { type ClientRequest, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions, TLSSocket } from 'node:tls';
import type { HttpBody } from '../body.ts';
import { LONGEST_FIELDS } from '../head-limits.ts';
import { type Network, networkOfAddress } from '../network.ts';
import { AnswerHead, LONGEST_HEAD } from './answer-head.ts';
import { ConnectionClosed } from './connection-closed.ts';
import { EndlessInterim } from './endless-interim.ts';
import { KnownLengthBody } from './known-length-body.ts';
import { type AcceptsNetwork, lookupWithin } from './lookup-within.ts';
import { NetworkRefused } from './network-refused.ts';
import { ParsedBody } from './parsed-body.ts';
import { ReceivedBytes, Stalled } from './received-bytes.ts';
import { Wire } from './wire.ts';

const bodiless = new Set([204, 304]);
/** Most interim responses (RFC 9110 section 15.2); servers send one or two before the final one. */
const MOST_INTERIM_ANSWERS = 10;

/** Timeouts in milliseconds. */
export interface ConnectionTimeouts {
  connect: number;
  /** From the request to the end of the head of the final response, however many interim ones precede it. */
  headers: number;
  /** How long a body may be silent. */
  body: number;
}

export interface OpenOptions {
  timeouts: ConnectionTimeouts;
  /** Decides which networks the connection may lead to. */
  accepts: AcceptsNetwork;
  /** Bytes of each of the two buffers that the connection receives into. */
  receiveBuffer?: number | undefined;
  signal?: AbortSignal | undefined;
  /** The protocol to offer in TLS (RFC 7301); by default http/1.1, the only one that this class speaks. */
  protocol?: 'http/1.1' | 'h2';
}

export interface DirectRequest {
  method: 'GET' | 'HEAD' | 'POST' | 'OPTIONS';
  /** Headers by name in lower case. */
  headers: Record<string, string>;
  body?: string;
}

export interface DirectAnswer {
  status: number;
  /** The network that the server is in. */
  network: Network;
  headers: IncomingHttpHeaders;
  body: HttpBody;
}

/**
 * A connection to a web server for sequential requests. Response heads are parsed by `node:http`; bodies of known
 * length bypass it, without a copy.
 */
export class DirectConnection {
  /** Resolves when either side has closed it. */
  readonly closed: Promise<unknown>;
  /** The network that the other side is in. */
  readonly network: Network;
  readonly #socket: Socket;
  readonly #received: ReceivedBytes;
  readonly #timeouts: ConnectionTimeouts;
  #isAnswered = false;
  /** Ends the wait for a response. */
  #abandon = (): void => {};

  private constructor(socket: Socket, received: ReceivedBytes, timeouts: ConnectionTimeouts) {
    this.closed = new Promise((resolve) => socket.once('close', resolve));
    this.network = networkOfAddress(socket.remoteAddress ?? '');
    this.#socket = socket;
    this.#received = received;
    this.#timeouts = timeouts;
  }

  /**
   * @param tls for https
   * @throws NetworkRefused where the host is in a network that is not accepted, before any connection is made
   */
  static async open(
    origin: URL,
    tls: ConnectionOptions,
    { timeouts, accepts, signal, receiveBuffer, protocol = 'http/1.1' }: OpenOptions,
  ): Promise<DirectConnection> {
    const secure = origin.protocol === 'https:';
    const received = new ReceivedBytes(receiveBuffer);
    const host = origin.hostname.replace(/^\[(.*)\]$/, '$1');
    const port = Number(origin.port) || (secure ? 443 : 80);
    // Addresses are not looked up. (The option blockList of `net.connect` is ignored by `tls.connect`.)
    if (isIP(host) !== 0 && !accepts(networkOfAddress(host))) throw new NetworkRefused(networkOfAddress(host));
    const lookup = lookupWithin(accepts);
    const options = { host, port, lookup, onread: received.onread, noDelay: true, keepAlive: true };
    const names = { servername: isIP(host) === 0 ? host : '', ALPNProtocols: [protocol] };
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

  /** The protocol that was negotiated in TLS, if any. */
  get protocol(): string | undefined {
    return (this.#socket instanceof TLSSocket && this.#socket.alpnProtocol) || undefined;
  }

  /** Whether the other side has sent anything since the last request. */
  get isAnswered(): boolean {
    return this.#isAnswered;
  }

  /**
   * @param onFree called when the next request can be made
   * @throws ConnectionClosed, Stalled, EndlessInterim, and the errors of the socket or the parser of `node:http`
   */
  async ask(url: URL, { method, headers, body }: DirectRequest, onFree: () => void): Promise<DirectAnswer> {
    this.#isAnswered = false;
    const wire = new Wire({ send: (bytes, sent) => this.#socket.write(bytes, sent) });
    const exchange = request({
      createConnection: () => wire,
      method,
      path: url.pathname + url.search,
      headers: { host: url.host, connection: 'keep-alive', ...headers },
      maxHeaderSize: LONGEST_FIELDS,
    });
    // By default the parser silently drops headers after the first thousand; the length of the head is limited instead.
    exchange.maxHeadersCount = 0;
    try {
      exchange.end(body);
      const response = await this.#responseInTime(exchange, wire);
      const { statusCode: status = 0, headers: received } = response;
      const { network } = this;
      return { status, network, headers: received, body: this.#body(exchange, response, wire, onFree) };
    } catch (error) {
      exchange.destroy();
      this.close();
      throw error;
    }
  }

  close(): void {
    this.#socket.destroy();
    this.#abandon();
  }

  /**
   * Waits for the final response with one deadline for everything, so that a server that sends single bytes cannot
   * extend it.
   */
  async #responseInTime(exchange: ClientRequest, wire: Wire): Promise<IncomingMessage> {
    const { headers: within } = this.#timeouts;
    let overdue: NodeJS.Timeout | undefined;
    const failed = new Promise<never>((_, reject) => {
      overdue = setTimeout(() => reject(new Stalled(`no answer within ${within} ms`)), within);
      exchange.on('error', reject);
      this.#abandon = () => reject(new ConnectionClosed('there was no answer'));
      // A switch to another protocol (101) ends without an error.
      exchange.on('close', this.#abandon);
    });
    failed.catch(() => {});
    try {
      return await Promise.race([this.#response(exchange, wire), failed]);
    } finally {
      clearTimeout(overdue);
      this.#abandon = () => {};
    }
  }

  async #response(exchange: ClientRequest, wire: Wire): Promise<IncomingMessage> {
    let understood = (_response?: IncomingMessage): void => {};
    exchange.on('response', (response) => understood(response));
    exchange.on('information', () => understood());
    for (let interim = 0; interim <= MOST_INTERIM_ANSWERS; interim += 1) {
      const next = new Promise<IncomingMessage | undefined>((resolve) => {
        understood = resolve;
      });
      await wire.give(await this.#head());
      const response = await next;
      if (response === undefined) continue;
      // The response is not given its body, which is not an error here.
      response.on('error', () => {});
      return response;
    }
    throw new EndlessInterim(`more than ${MOST_INTERIM_ANSWERS} interim answers came`);
  }

  /** Reads everything up to the empty line. */
  async #head(): Promise<Buffer> {
    const head = new AnswerHead();
    for (;;) {
      const bytes = await this.#received.take(LONGEST_HEAD, this.#timeouts.headers);
      if (bytes.length === 0) throw new ConnectionClosed('the connection was closed before there was an answer');
      this.#isAnswered = true;
      const unused = head.add(bytes);
      if (unused === undefined) continue;
      this.#received.putBack(unused);
      return head.bytes;
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
    const length = exchange.method === 'HEAD' ? 0 : lengthOf(response);
    if (length === undefined) return new ParsedBody(stream, exchange, response, wire);
    exchange.destroy();
    const staysOpen = response.httpVersion === '1.1' && !/\bclose\b/i.test(response.headers.connection ?? '');
    return new KnownLengthBody(stream, length, staysOpen ? onFree : stream.close);
  }
}

/**
 * Returns the length of the body as it arrives, by RFC 9112 section 6.3; undefined where the parser has to find its
 * end.
 */
function lengthOf({ statusCode = 0, headers }: IncomingMessage): number | undefined {
  if (bodiless.has(statusCode)) return 0;
  const length = headers['content-length'];
  const isPlain = headers['transfer-encoding'] === undefined && length !== undefined;
  return isPlain ? Number(length) : undefined;
}
