import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from '../../base/logger.ts';
import { HTML_TYPE, refuse, respond } from '../../dashboard/answer.ts';
import type { Board } from '../../dashboard/board.ts';
import type { PageRoutes, Reader } from '../../dashboard/routes.ts';
import { errorFields } from '../../kube/errors.ts';
import { type Authentication, TooManyQuestions, type User } from './authentication.ts';
import { loginMarkup } from './login-page.ts';
import { readForm } from './read-form.ts';
import type { Rights } from './rights.ts';
import {
  asToken,
  forgetToken,
  hasLoggedIn,
  isFromElsewhere,
  keepToken,
  LONGEST_COOKIE_TOKEN,
  tokenOf,
} from './session.ts';

interface RouteDependencies {
  readonly page: PageRoutes;
  readonly board: Board;
  readonly authentication: Authentication;
  readonly rights: Rights;
  readonly isStopping: () => boolean;
  readonly logger: Logger;
}

/** Answers the requests of browsers: lets in whoever has a token of the cluster, and shows what its bearer may list. */
export class Routes {
  readonly #dependencies: RouteDependencies;

  constructor(dependencies: RouteDependencies) {
    this.#dependencies = dependencies;
  }

  /** Answers one request; never rejects. */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { isStopping, logger } = this.#dependencies;
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    if (isStopping()) response.setHeader('connection', 'close');
    try {
      await this.#route(request, response);
    } catch (error) {
      const isBusy = error instanceof TooManyQuestions;
      if (!isBusy) logger.error('a request failed', { step: 'answer', method: request.method, ...errorFields(error) });
      const sentence = isBusy
        ? 'too many people log in at the moment: try again'
        : 'the API server of the cluster could not be asked who you are and what you may see: try again; the log of cdi-dashboard says why';
      await refuse(request, response, 503, sentence, { 'retry-after': '5' }).catch(() => response.destroy());
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { page } = this.#dependencies;
    const url = URL.parse(request.url ?? '/', 'https://localhost');
    if (!url) {
      await refuse(request, response, 400, 'the address of the request is none');
      return;
    }
    const path = url.pathname.slice(1);
    if (await page.answerAsset(request, response, path)) return;
    if (request.method === 'POST') {
      await this.#answerForm(request, response, path);
      return;
    }
    const reader = await this.#readerOf(request);
    if (reader) await page.answer(request, response, { path, query: url.searchParams }, reader);
    else await this.#askForToken(request, response);
  }

  async #readerOf(request: IncomingMessage): Promise<Reader | undefined> {
    const token = tokenOf(request);
    const user = await this.#userOf(token);
    if (token === undefined || !user) return undefined;
    return {
      id: user.name,
      ...(hasLoggedIn(request) && { user: user.name }),
      access: async () => {
        const { rights, board } = this.#dependencies;
        // Tokens expire and are withdrawn while a page is open.
        const now = await this.#userOf(token);
        return now && rights.accessOf(now, board.namespaces());
      },
    };
  }

  async #userOf(token: string | undefined): Promise<User | undefined> {
    return token === undefined ? undefined : this.#dependencies.authentication.userOf(token);
  }

  async #answerForm(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    if (isFromElsewhere(request)) {
      await refuse(request, response, 403, 'a page of another server has sent you here: open this one by its address');
    } else if (path === 'logout') {
      await this.#leadToPage(request, response, forgetToken);
    } else if (path === 'login') {
      await this.#logIn(request, response);
    } else {
      await refuse(request, response, 405, 'this page is only read', { allow: 'GET, HEAD' });
    }
  }

  async #logIn(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { logger } = this.#dependencies;
    const form = await readForm(request);
    if (!form) {
      await refuse(request, response, 413, 'this is no form with a token');
      return;
    }
    const token = asToken(form.get('token') ?? '');
    if (token !== undefined && token.length > LONGEST_COOKIE_TOKEN) {
      const problem = `This token has more than ${LONGEST_COOKIE_TOKEN} characters, which browsers do not keep. Use one of a ServiceAccount.`;
      await this.#askForToken(request, response, problem);
      return;
    }
    const user = await this.#userOf(token);
    if (token === undefined || !user) {
      await this.#askForToken(request, response, 'The cluster does not know this token, or it has expired.');
      return;
    }
    logger.info('logged in', { step: 'login', user: user.name });
    await this.#leadToPage(request, response, keepToken(token));
  }

  async #leadToPage(request: IncomingMessage, response: ServerResponse, cookie: string): Promise<void> {
    await respond(request, response, 303, HTML_TYPE, '', { location: './', 'set-cookie': cookie });
  }

  async #askForToken(request: IncomingMessage, response: ServerResponse, problem?: string): Promise<void> {
    await respond(request, response, 401, HTML_TYPE, loginMarkup(problem), { 'www-authenticate': 'Bearer' });
  }
}
