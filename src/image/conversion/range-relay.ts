import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { finished } from 'node:stream/promises';
import { closeWithConnections, listen } from '../../server/listen.ts';
import type { CachingReader } from './caching-reader.ts';

/**
 * Serves an object to other programs over HTTP on a Unix socket, so that they read it with the credentials,
 * certificates, retries and checks of this process.
 */
export class RangeRelay implements AsyncDisposable {
  readonly #reader: CachingReader;
  readonly #server = createServer((request, response) => {
    this.#answer(request, response).catch((error: unknown) => {
      this.#failure ??= error;
      response.destroy();
    });
  });
  #failure: unknown;

  constructor(reader: CachingReader) {
    this.#reader = reader;
  }

  /** The failure of a read, if there was one. */
  get failure(): unknown {
    return this.#failure;
  }

  async listen(socketPath: string): Promise<void> {
    await listen(this.#server, { path: socketPath });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await closeWithConnections(this.#server);
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
    const length = end - start + 1;
    await this.#reader.lend(start, length, async (pieces) => {
      response.writeHead(206, { 'content-range': `bytes ${start}-${end}/${size}`, 'content-length': length });
      response.cork();
      for (const piece of pieces) response.write(piece);
      response.end();
      // A client that disconnects early does not need the rest.
      await finished(response).catch(() => {});
    });
  }
}
