import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

/** How often a body that is not to come at once is written to, in milliseconds. */
const INTERVAL = 10;

export interface RangedServerOptions {
  /** What each answer has besides; validators among them are what If-Range is compared with. */
  headers?: (request: IncomingMessage) => OutgoingHttpHeaders;
  /** What is taken for the validator of the content; what it is by default. */
  matches?: (ifRange: string) => boolean;
  /** Answers in place of the content where it returns true. */
  intercept?: (request: IncomingMessage, response: ServerResponse) => boolean;
  /** What is made of Range: what to send instead, 416, or all of the content with 200. As RFC 9110 says by default. */
  understand?: (range: string) => { start: number; end: number } | 'unsatisfiable' | 'whole';
  /** How a part is called; nothing is said of it where it is undefined. */
  contentRange?: (start: number, end: number) => string | undefined;
  /** Each connection is cut after so many bytes of a body. */
  cutAfter?: number;
  /** In bytes a second, of each connection. */
  rate?: number;
}

export interface SeenRequest {
  path: string;
  range: string | undefined;
  ifRange: string | undefined;
  headers: IncomingMessage['headers'];
}

/** A server with its own ways with ranges, redirects and validators. */
export class RangedServer {
  readonly seen: SeenRequest[] = [];
  /** Of bodies. */
  bytes = 0;
  readonly #content: Buffer;
  readonly #options: RangedServerOptions;
  readonly #server: Server;

  private constructor(content: Buffer, options: RangedServerOptions) {
    this.#content = content;
    this.#options = options;
    this.#server = createServer((request, response) => {
      this.#answer(request, response);
    });
  }

  static async start(content: Buffer, options: RangedServerOptions = {}): Promise<RangedServer> {
    const started = new RangedServer(content, options);
    started.#server.listen(0, '127.0.0.1');
    await once(started.#server, 'listening');
    return started;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { headers } = request;
    const { range } = headers;
    const ifRange = headers['if-range'] as string | undefined;
    this.seen.push({ path: request.url ?? '', range, ifRange, headers });
    if (this.#options.intercept?.(request, response) === true) return;
    const own = this.#options.headers?.(request) ?? {};
    const { understand = this.#standard, contentRange = this.#contentRange } = this.#options;
    const { matches = (given) => given === own['etag'] || given === own['last-modified'] } = this.#options;
    const isOther = ifRange !== undefined && !matches(ifRange);
    const understood = range === undefined || isOther ? 'whole' : understand(range);
    if (understood === 'unsatisfiable') {
      response.writeHead(416, own).end();
      return;
    }
    const { length } = this.#content;
    const { start, end } = understood === 'whole' ? { start: 0, end: length } : understood;
    const told = understood === 'whole' ? undefined : contentRange(start, end);
    if (told !== undefined) response.setHeader('content-range', told);
    response.writeHead(understood === 'whole' ? 200 : 206, { 'content-length': end - start, ...own });
    this.#send(response, this.#content.subarray(start, end));
  }

  readonly #standard = (range: string): { start: number; end: number } => {
    const [, start, last] = /^bytes=(\d+)-(\d*)$/.exec(range) ?? [];
    return { start: Number(start), end: last === '' ? this.#content.length : Number(last) + 1 };
  };

  readonly #contentRange = (start: number, end: number): string => `bytes ${start}-${end - 1}/${this.#content.length}`;

  #send(response: ServerResponse, body: Buffer): void {
    const { rate, cutAfter = Infinity } = this.#options;
    const kept = body.subarray(0, cutAfter);
    this.bytes += kept.length;
    const finish = (): void => {
      if (kept.length === body.length) response.end();
      else response.socket?.end();
    };
    if (rate === undefined) {
      response.write(kept, finish);
      return;
    }
    let at = 0;
    const piece = Math.ceil((rate * INTERVAL) / 1000);
    const timer = setInterval(() => {
      response.write(kept.subarray(at, (at += piece)));
      if (at >= kept.length) {
        clearInterval(timer);
        finish();
      }
    }, INTERVAL);
    response.once('close', () => clearInterval(timer));
  }
}
