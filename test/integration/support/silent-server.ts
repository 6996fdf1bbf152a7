import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const PIECE = 256 * 1024;

/** A web server that knows ranges, and keeps every connection open without sending a byte of its file from one on. */
export class SilentServer {
  readonly url: string;
  readonly #close: () => void;

  private constructor(url: string, close: () => void) {
    this.url = url;
    this.#close = close;
  }

  /**
   * @param options.withoutRanges whether it ignores them
   * @param options.pause between two pieces of 256 KiB, in milliseconds
   */
  static async start(
    content: Buffer,
    { from, withoutRanges = false, pause = 0 }: { from: number; withoutRanges?: boolean; pause?: number },
  ): Promise<SilentServer> {
    const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      const [, first = '0', last = ''] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
      const start = withoutRanges ? 0 : Number(first);
      const end = withoutRanges || last === '' ? content.length : Number(last) + 1;
      const range = withoutRanges ? {} : { 'content-range': `bytes ${start}-${end - 1}/${content.length}` };
      const headers = { etag: '"same"', 'content-length': end - start, ...range };
      response.writeHead(withoutRanges ? 200 : 206, headers).flushHeaders();
      for (let offset = start; offset < Math.min(end, from) && !response.destroyed; offset += PIECE) {
        response.write(content.subarray(offset, Math.min(offset + PIECE, end, from)));
        if (pause > 0) await sleep(pause);
      }
      if (end <= from) response.end();
    };
    const server = createServer((request, response) => void answer(request, response)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new SilentServer(`http://127.0.0.1:${(server.address() as AddressInfo).port}/disk`, () => {
      server.close();
      server.closeAllConnections();
    });
  }

  close(): void {
    this.#close();
  }
}
