import { randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { refuse } from '../../dashboard/answer.ts';
import { everything } from '../../dashboard/picture/access.ts';
import type { PageRoutes, Reader } from '../../dashboard/routes.ts';
import { listen } from '../../server/listen.ts';

const HOST = '127.0.0.1';
/** Bytes of the secret part of the address. */
const SECRET_LENGTH = 32;
const LARGEST_HEAD = 16 * 1024;
const MAXIMUM_CONNECTIONS = 100;

/** Who runs this process sees what the API server lets this process see. */
const owner: Reader = { id: 'owner', access: () => Promise.resolve(everything) };

/**
 * Serves the page on this machine to whoever knows its address. The secret is a part of the path, and no cookie, which
 * a browser would send to other ports of this machine as well: those of other users.
 */
export class LocalServer {
  readonly #routes: PageRoutes;
  readonly #server: Server;
  readonly #secret = randomBytes(SECRET_LENGTH).toString('base64url');
  #port = 0;

  constructor(routes: PageRoutes) {
    this.#routes = routes;
    this.#server = createServer({ maxHeaderSize: LARGEST_HEAD }, (request, response) => {
      this.#answer(request, response).catch(() => response.destroy());
    });
    this.#server.maxConnections = MAXIMUM_CONNECTIONS;
  }

  /**
   * @param port 0 for any free one
   * @returns the address of the page
   * @throws Error where the port is taken
   */
  async listen(port: number): Promise<string> {
    this.#port = await listen(this.#server, { port, host: HOST });
    return `http://${HOST}:${this.#port}/${this.#secret}/`;
  }

  close(): void {
    this.#routes.close();
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => undefined);
    // A page of another origin reaches this port by a name of its own that it has made stand for this address.
    const { host = '' } = request.headers;
    const url = URL.parse(request.url ?? '/', `http://${HOST}`);
    if (!url || ![`${HOST}:${this.#port}`, `localhost:${this.#port}`].includes(host)) {
      await refuse(request, response, 403, 'this server answers to the address that it has printed only');
      return;
    }
    const [, secret = '', path = ''] = /^\/([^/]*)\/(.*)$/s.exec(url.pathname) ?? [];
    if (!isEqual(secret, this.#secret)) {
      await refuse(request, response, 403, 'open the address that diskpress dashboard has printed, as a whole');
      return;
    }
    if (await this.#routes.answerAsset(request, response, path)) return;
    await this.#routes.answer(request, response, { path, query: url.searchParams }, owner);
  }
}

/** Compares in a time that tells nothing of how much is right. */
function isEqual(one: string, other: string): boolean {
  const [left, right] = [Buffer.from(one), Buffer.from(other)];
  return left.length === right.length && timingSafeEqual(left, right);
}
