import type * as z from 'zod';
import { TransferError } from '../../base/errors.ts';
import type { Login } from '../../base/login.ts';
import { bearerAuthorization } from '../http/bearer-token.ts';
import { HttpClient, type HttpClientOptions, type HttpResponse } from '../http/client.ts';
import { readDocument } from '../http/read-document.ts';
import type { Referrer } from '../http/redirect.ts';
import type { Confidential } from './confidential.ts';
import { engineFailure } from './engine-failures.ts';
import { EngineLocation } from './engine-location.ts';
import { logIn, logOut } from './engine-session.ts';

/** Longest answer in bytes; the snapshots of a large storage domain are the longest. */
const LONGEST_ANSWER = 16 * 1024 * 1024;

export interface EngineOptions extends Omit<HttpClientOptions, 'signal'> {
  /** URL of the API, `https://engine/ovirt-engine/api`. */
  url: string;
  login: Login;
  confidential: Confidential;
}

/**
 * The API of an oVirt engine, as JSON. It logs in with the first request, and again when the session has expired.
 * Requests are never aborted: the answer to one may name what has to be ended.
 */
export class Engine {
  readonly location: EngineLocation;
  readonly #options: EngineOptions;
  readonly #http: HttpClient;
  #token: Promise<string> | undefined;
  #referrer: Referrer | undefined;

  /** @throws TransferError InvalidUrl */
  constructor(options: EngineOptions) {
    this.location = new EngineLocation(options.url);
    this.#options = options;
    this.#http = new HttpClient(options);
    options.confidential.add(options.login.password);
  }

  /** The last answer, by which URLs that the engine names are restricted. */
  get referrer(): Referrer | undefined {
    return this.#referrer;
  }

  /**
   * @param what what is asked for, for people
   * @throws TransferError, of which an EngineRefusal is the engine's own
   */
  get<Schema extends z.ZodType>(path: string, schema: Schema, what: string): Promise<z.output<Schema>> {
    return this.#ask('GET', path, undefined, what).then((answer) => this.#parse(answer, schema, what));
  }

  /** @throws as {@link get} */
  post<Schema extends z.ZodType>(path: string, body: unknown, schema: Schema, what: string): Promise<z.output<Schema>> {
    return this.#ask('POST', path, body, what).then((answer) => this.#parse(answer, schema, what));
  }

  /** Asks for an action on what has this path; its answer says nothing more. */
  async act(path: string, what: string): Promise<void> {
    await this.#ask('POST', path, {}, what);
  }

  /**
   * Ends the session and closes all connections.
   *
   * @throws TransferError
   */
  async leave(): Promise<void> {
    const { confidential } = this.#options;
    try {
      const token = await this.#token?.catch(() => undefined);
      if (token !== undefined) await logOut(this.#http, this.location, token);
    } catch (error) {
      throw confidential.failure(error, this.location.logOut);
    } finally {
      await this.#http.close();
    }
  }

  async #ask(method: 'GET' | 'POST', path: string, body: unknown, what: string): Promise<unknown> {
    const url = this.location.of(path);
    try {
      const first = await this.#once(method, url, body);
      if (first.response.status !== 401) return this.#accept(first, what);
      this.#token = undefined;
      return this.#accept(await this.#once(method, url, body), what);
    } catch (error) {
      throw this.#options.confidential.failure(error, url);
    }
  }

  async #once(method: 'GET' | 'POST', url: URL, body: unknown): Promise<{ response: HttpResponse; document: unknown }> {
    const response = await this.#http.request(url, {
      method,
      headers: {
        accept: 'application/json',
        version: '4',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      confidentialHeaders: { authorization: bearerAuthorization(await this.#session()) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    this.#referrer = { url: this.location.of(''), network: response.network };
    const text = (await readDocument(response, { longest: LONGEST_ANSWER })).toString();
    return { response, document: parsed(text) };
  }

  #accept({ response, document }: { response: HttpResponse; document: unknown }, what: string): unknown {
    const { status } = response;
    if (status >= 200 && status < 300) return document;
    throw engineFailure(status, document, what, this.location.host);
  }

  #parse<Schema extends z.ZodType>(document: unknown, schema: Schema, what: string): z.output<Schema> {
    const { data, success } = schema.safeParse(document);
    if (success) return data;
    throw new TransferError(
      'ProtocolViolation',
      `${this.location.host} answered for ${what} with something else: check that the URL is that of an oVirt engine's API, ` +
        'https://…/ovirt-engine/api',
    );
  }

  /** Returns the token of the session, for which requests at the same time log in once. */
  #session(): Promise<string> {
    const { login, confidential } = this.#options;
    if (this.#token === undefined) {
      const token = logIn(this.#http, this.location, login, confidential);
      this.#token = token;
      token.catch(() => {
        if (this.#token === token) this.#token = undefined;
      });
    }
    return this.#token;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
