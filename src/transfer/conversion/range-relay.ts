import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { RangeReader } from '../source.ts';

/**
 * Offers an object to other programs over HTTP on a Unix socket, so that they read it with our credentials,
 * certificates, retries and checks without knowing any of them.
 */
export class RangeRelay implements AsyncDisposable {
  readonly #reader: RangeReader;
  readonly #server = createServer((request, response) => {
    this.#answer(request, response).catch((error: unknown) => {
      this.#failure ??= error;
      response.destroy();
    });
  });
  #failure: unknown;

  constructor(reader: RangeReader) {
    this.#reader = reader;
  }

  /** Why a read failed, if one did. */
  get failure(): unknown {
    return this.#failure;
  }

  async listen(socketPath: string): Promise<void> {
    this.#server.listen(socketPath);
    await once(this.#server, 'listening');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { size } = this.#reader;
    const match = /^bytes=(\d{1,15})-(\d{1,15})$/.exec(request.headers.range ?? '');
    if (request.method === 'HEAD') {
      response.writeHead(200, { 'content-length': size, 'accept-ranges': 'bytes' }).end();
      return;
    }
    const start = Number(match?.[1]);
    const end = Math.min(Number(match?.[2]), size - 1);
    if (match === null || start > end) {
      response.writeHead(416, { 'content-range': `bytes */${size}` }).end();
      return;
    }
    const bytes = await this.#reader.read(start, end - start + 1);
    const range = { 'content-range': `bytes ${start}-${end}/${size}`, 'content-length': bytes.length };
    response.writeHead(206, range).end(bytes);
  }
}
