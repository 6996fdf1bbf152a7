import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { ChainedHash } from '../../../../src/server/chained-hash.ts';
import {
  PREFIX_SHA256_HEADER,
  RECEIVED_HEADER,
  SHA256_HEADER,
  uploadPathOf,
} from '../../../../src/server/upload-protocol.ts';
import type { ServerCertificate } from '../../support/certificates.ts';

/** What goes wrong with one upload. */
export interface Fault {
  /** The connection breaks after so many bytes of its body. */
  readonly cutAfter?: number;
  /** What happens before it does. */
  readonly onCut?: () => Promise<void>;
  /** It is answered with this before its body has been read. */
  readonly answer?: { readonly status: number; readonly sentence: string };
}

/** Speaks the protocol of uploads as the upload proxy and the server behind it do, and keeps what it receives. */
export class ReceivingProxy {
  readonly #server: Server;
  readonly #faults: Fault[] = [];
  #chunks: Buffer[] = [];
  #received = 0;
  /** The headers of all uploads, in their order. */
  readonly uploads: IncomingHttpHeaders[] = [];
  /** The tokens that it accepts. */
  readonly tokens = new Set<string>();
  /** Called once the image is complete. */
  onComplete: () => void = () => undefined;
  isComplete = false;

  private constructor(server: Server) {
    this.#server = server;
    server.on('request', (request, response) => {
      this.#answer(request, response).catch(() => request.destroy());
    });
  }

  static async start({ certificate, key }: ServerCertificate): Promise<ReceivingProxy> {
    const [cert, privateKey] = await Promise.all([readFile(certificate), readFile(key)]);
    const server = createServer({ cert, key: privateKey }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new ReceivingProxy(server);
  }

  get url(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get received(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  /** Lets the next uploads go wrong, in this order. */
  fail(...faults: Fault[]): void {
    this.#faults.push(...faults);
  }

  /** Has received this, and nothing else. */
  hold(bytes: Buffer): void {
    this.#chunks = [bytes];
    this.#received = bytes.length;
  }

  reset(): void {
    this.hold(Buffer.alloc(0));
    this.#faults.length = 0;
    this.uploads.length = 0;
    this.tokens.clear();
    this.isComplete = false;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const end = (status: number, sentence = '', headers = {}) => {
      response.writeHead(status, { 'content-type': 'text/plain', ...headers }).end(sentence);
    };
    if (uploadPathOf(request.url ?? '') !== 'upload-async') return end(404, 'no upload path');
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    if (!this.tokens.has(token)) return end(401, 'the token has expired: request another one');
    if (this.isComplete) return end(409, 'the claim has its data already');
    if (request.method === 'HEAD') return end(200, '', { [RECEIVED_HEADER]: String(this.#received) });
    this.uploads.push(request.headers);
    const { cutAfter = Infinity, answer, onCut } = this.#faults.shift() ?? {};
    if (answer) return end(answer.status, answer.sentence);
    const range = request.headers['content-range'];
    const [, from = '0', to = '', size = ''] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(range ?? '') ?? [];
    if (range !== undefined && Number(to) + 1 !== Number(size)) return end(400, `a strange range: ${range}`);
    if (range !== undefined && Number(from) !== this.#received) return end(416, 'from elsewhere');
    const prefix = ChainedHash.create();
    prefix.update(this.received);
    if (range !== undefined && request.headers[PREFIX_SHA256_HEADER] !== prefix.digest())
      return end(412, 'another image');
    if (range === undefined) this.hold(Buffer.alloc(0));
    let count = 0;
    for await (const chunk of request as AsyncIterable<Buffer>) {
      const taken = chunk.subarray(0, cutAfter - count);
      count += taken.length;
      this.#chunks.push(taken);
      this.#received += taken.length;
      if (count >= cutAfter) {
        await onCut?.();
        return void request.socket.destroy();
      }
    }
    const expected = request.headers[SHA256_HEADER];
    if (expected !== undefined && createHash('sha256').update(this.received).digest('hex') !== expected) {
      return end(400, 'the sha256 is another one');
    }
    this.isComplete = true;
    this.onComplete();
    end(200);
  }
}
