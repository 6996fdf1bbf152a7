import * as z from 'zod';
import { TransferError } from '../errors.ts';
import type { HttpClient, HttpResponse } from '../http/client.ts';
import { statusFailure } from '../http/failures.ts';
import { basicAuthorization } from '../http/headers.ts';
import { readJson } from '../http/read-json.ts';

export interface Credentials {
  user: string;
  password: string;
}

const tokenAnswer = z.object({ token: z.string().optional(), access_token: z.string().optional() });

/** Proves to a registry who we are, the way it asks for: with a password, or a token that another server gives. */
export class RegistryAuthorization {
  readonly #client: HttpClient;
  readonly #repository: string;
  readonly #credentials: Credentials | undefined;
  #header: string | undefined;

  constructor(client: HttpClient, repository: string, credentials: Credentials | undefined) {
    this.#client = client;
    this.#repository = repository;
    this.#credentials = credentials;
  }

  /** Sends a request, and once more with a fresh proof where the registry asks for one. */
  async request(url: URL, headers: Record<string, string>): Promise<HttpResponse> {
    const response = await this.#send(url, headers);
    if (response.status !== 401 || response.url.origin !== url.origin) return response;
    const challenge = response.headers['www-authenticate'];
    await response.body.dump();
    this.#header = await this.#answer(Array.isArray(challenge) ? challenge.join(', ') : challenge, response);
    return this.#send(url, headers);
  }

  #send(url: URL, headers: Record<string, string>): Promise<HttpResponse> {
    const confidentialHeaders: Record<string, string> =
      this.#header === undefined ? {} : { authorization: this.#header };
    return this.#client.request(url, { headers, confidentialHeaders });
  }

  async #answer(challenge: string | undefined, response: HttpResponse): Promise<string> {
    if (challenge !== undefined && /\bbearer\b/i.test(challenge)) return this.#token(challenge, response);
    if (this.#credentials === undefined) throw statusFailure(401, {}, response.url);
    return basicAuthorization(this.#credentials);
  }

  /** https://distribution.github.io/distribution/spec/auth/token/ */
  async #token(challenge: string, response: HttpResponse): Promise<string> {
    const fields = new Map(
      [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name.toLowerCase(), value]),
    );
    const realm = URL.parse(fields.get('realm') ?? '');
    if (realm === null || !/^https?:$/.test(realm.protocol)) {
      throw new TransferError('ProtocolViolation', `${response.url.host} asks for a token and does not say from where`);
    }
    const service = fields.get('service');
    if (service !== undefined) realm.searchParams.set('service', service);
    realm.searchParams.set('scope', `repository:${this.#repository}:pull`);
    const confidentialHeaders: Record<string, string> =
      this.#credentials === undefined ? {} : { authorization: basicAuthorization(this.#credentials) };
    const answer = await this.#client.request(realm, { confidentialHeaders });
    if (answer.status !== 200) {
      await answer.body.dump();
      throw statusFailure(answer.status, answer.headers, answer.url);
    }
    const parsed = tokenAnswer.safeParse(await readJson(answer));
    const token = parsed.data?.token ?? parsed.data?.access_token;
    if (token === undefined) throw new TransferError('ProtocolViolation', `${realm.host} answered without a token`);
    return `Bearer ${token}`;
  }
}
