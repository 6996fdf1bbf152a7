import type { IncomingMessage, ServerResponse } from 'node:http';
import { HTML_TYPE, refuse, respond } from './answer.ts';
import type { Asset } from './assets.ts';
import type { Board } from './board.ts';
import { securityHeaders } from './headers.ts';
import { Live } from './live/live.ts';
import { Stream } from './live/stream.ts';
import type { Access } from './picture/access.ts';
import { Pictures } from './picture/picture.ts';
import { parseQuery } from './picture/query.ts';
import { pageMarkup, type Surroundings } from './view/page.ts';

/** Whoever looks at the page. */
export interface Reader {
  /** Equal for all requests of one reader. */
  readonly id: string;
  /** The name of whoever has logged in. */
  readonly user?: string | undefined;
  /** Finds out what the reader may see now; undefined where the reader may not be here any more. */
  readonly access: () => Promise<Access | undefined>;
}

/** Serves the page, and what it loads, to readers who have been let in. */
export class PageRoutes {
  readonly #assets: ReadonlyMap<string, Asset>;
  readonly #surroundings: Omit<Surroundings, 'user'>;
  readonly #pictures: Pictures;
  readonly #live: Live;

  constructor(board: Board, assets: ReadonlyMap<string, Asset>, surroundings: Omit<Surroundings, 'user'>) {
    this.#assets = assets;
    this.#surroundings = surroundings;
    this.#pictures = new Pictures(board);
    this.#live = new Live(board, this.#pictures);
  }

  /** Ends what readers are told. */
  close(): void {
    this.#live.close();
  }

  /**
   * Answers a file of {@link readAssets}, which are no secret.
   *
   * @param path below that of the page, without a slash before it
   * @returns false where it is none
   */
  async answerAsset(request: IncomingMessage, response: ServerResponse, path: string): Promise<boolean> {
    const [, name] = /^assets\/([a-z.]+)$/.exec(path) ?? [];
    const asset = name === undefined ? undefined : this.#assets.get(name);
    if (!asset) return false;
    await respond(request, response, 200, asset.type, asset.body, { 'cache-control': 'no-cache' });
    return true;
  }

  /**
   * Answers a request for the page or for its changes.
   *
   * @param path below that of the page, without a slash before it
   */
  async answer(
    request: IncomingMessage,
    response: ServerResponse,
    { path, query }: { path: string; query: URLSearchParams },
    reader: Reader,
  ): Promise<void> {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      await refuse(request, response, 405, 'this page is only read', { allow: 'GET, HEAD' });
      return;
    }
    if (path !== '' && path !== 'events') {
      await refuse(request, response, 404, 'there is nothing at this address; the page is at its beginning');
      return;
    }
    const access = await reader.access();
    if (!access) await refuse(request, response, 401, 'you are not known any more: log in again');
    else if (path === '') await this.#answerPage(request, response, query, reader, access);
    else await this.#answerEvents(request, response, query, reader, access);
  }

  async #answerPage(
    request: IncomingMessage,
    response: ServerResponse,
    query: URLSearchParams,
    { user }: Reader,
    access: Access,
  ): Promise<void> {
    const picture = this.#pictures.draw(access, parseQuery(query));
    const page = pageMarkup(picture, { ...this.#surroundings, user }, Date.now());
    await respond(request, response, 200, HTML_TYPE, page);
  }

  async #answerEvents(
    request: IncomingMessage,
    response: ServerResponse,
    query: URLSearchParams,
    reader: Reader,
    access: Access,
  ): Promise<void> {
    if (this.#live.isFull(reader.id)) {
      await refuse(request, response, 503, 'too many pages are open: close some, and load this one again', {
        'retry-after': '10',
      });
      return;
    }
    if (response.destroyed) return;
    response.writeHead(200, {
      ...securityHeaders,
      'content-type': 'text/event-stream',
      // Some proxies keep what they pass on until there is more.
      'x-accel-buffering': 'no',
    });
    if (request.method === 'HEAD') {
      response.end();
      return;
    }
    response.write('retry: 2000\n\n');
    const stream = new Stream(response, { id: reader.id, access }, parseQuery(query), () => this.#live.schedule());
    const leave = this.#live.follow({ stream, access: reader.access });
    response.once('close', leave);
  }
}
