import * as z from 'zod';
import { TransferError } from '../errors.ts';
import type { HttpClient, HttpResponse } from '../http/client.ts';
import { statusFailure } from '../http/failures.ts';
import { bearerAuthorization, bearerToken } from '../http/bearer-token.ts';
import { basicAuthorization } from '../http/headers.ts';
import { readJson } from '../http/read-document.ts';
import { parseBearerChallenge, type BearerChallenge } from './challenge.ts';

export interface Credentials {
  user: string;
  password: string;
}

const tokenAnswer = z.object({ token: bearerToken.optional(), access_token: bearerToken.optional() });

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

  async #answer(header: string | undefined, response: HttpResponse): Promise<string> {
    const challenge = parseBearerChallenge(header);
    if (challenge !== undefined) return this.#token(challenge, response);
    if (this.#credentials === undefined) throw statusFailure(401, {}, response.url);
    return basicAuthorization(this.#credentials);
  }

  /** https://distribution.github.io/distribution/spec/auth/token/ */
  async #token(challenge: BearerChallenge, response: HttpResponse): Promise<string> {
    const realm = realmOf(challenge, response.url);
    if (challenge.service !== undefined) realm.searchParams.set('service', challenge.service);
    realm.searchParams.set('scope', `repository:${this.#repository}:pull`);
    const confidentialHeaders: Record<string, string> =
      this.#credentials === undefined ? {} : { authorization: basicAuthorization(this.#credentials) };
    const answer = await this.#client.request(realm, { confidentialHeaders, referrer: response });
    if (answer.status !== 200) {
      await answer.body.dump();
      throw statusFailure(answer.status, answer.headers, answer.url);
    }
    const parsed = tokenAnswer.safeParse(await readJson(answer));
    const token = parsed.data?.token ?? parsed.data?.access_token;
    if (token === undefined) throw new TransferError('ProtocolViolation', `${realm.host} answered without a token`);
    return bearerAuthorization(token);
  }
}

/** Where a registry says that there are tokens. */
function realmOf({ realm: given = '' }: BearerChallenge, registry: URL): URL {
  const realm = URL.parse(given);
  if (realm === null || !/^https?:$/.test(realm.protocol)) {
    throw new TransferError('ProtocolViolation', `${registry.host} asks for a token and does not say from where`);
  }
  if (realm.protocol === 'http:' && registry.protocol === 'https:') {
    throw new TransferError(
      'RedirectRefused',
      `${registry.host} asks for a token of ${realm.host} over plain http, where others could read the password: ` +
        'the realm that the registry names has to be a URL of https',
    );
  }
  // What it says of users is not ours to send.
  realm.username = '';
  realm.password = '';
  return realm;
}
