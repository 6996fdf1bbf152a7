import * as z from 'zod';
import { TransferError } from '../../base/errors.ts';
import type { AskedOfObject } from '../http/ask-for-object.ts';
import { bearerAuthorization, bearerToken } from '../http/bearer-token.ts';
import type { HttpClient, HttpResponse } from '../http/client.ts';
import { statusFailure } from '../http/failures.ts';
import { basicAuthorization } from '../http/headers.ts';
import { readJson } from '../http/read-document.ts';
import { type Challenge, parseChallenges } from './challenge.ts';

export interface Credentials {
  user: string;
  password: string;
}

const tokenAnswer = z.object({ token: bearerToken.optional(), access_token: bearerToken.optional() });

/** Authenticates to a registry in the way that it asks for: with a password, or with a token from another server. */
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

  /** Sends a request, and sends it again with new credentials where the registry asks for them. */
  async request(url: URL, asked: AskedOfObject): Promise<HttpResponse> {
    const response = await this.#send(url, asked);
    if (response.status !== 401 || response.url.origin !== url.origin) return response;
    const challenge = response.headers['www-authenticate'];
    await response.body.dump();
    const header = Array.isArray(challenge) ? challenge.join(', ') : challenge;
    this.#header = await this.#answer(header, response, asked.signal);
    return this.#send(url, asked);
  }

  #send(url: URL, asked: AskedOfObject): Promise<HttpResponse> {
    const confidentialHeaders: Record<string, string> =
      this.#header === undefined ? {} : { authorization: this.#header };
    return this.#client.request(url, { ...asked, confidentialHeaders });
  }

  async #answer(header: string | undefined, response: HttpResponse, signal: AbortSignal | undefined): Promise<string> {
    const challenges = parseChallenges(header);
    const bearers = challenges.filter(({ scheme }) => scheme === 'bearer');
    const bearer = bearers.find((challenge) => realmUrl(challenge) !== null) ?? bearers[0];
    // A registry that asks for neither scheme does not get the password.
    const takesBasic = challenges.length === 0 || challenges.some(({ scheme }) => scheme === 'basic');
    const password = takesBasic ? this.#credentials : undefined;
    if (bearer !== undefined && (realmUrl(bearer) !== null || password === undefined)) {
      return this.#token(bearer, response, signal);
    }
    if (!takesBasic) {
      const schemes = challenges.map(({ scheme }) => scheme).join(', ');
      throw new TransferError(
        'Unauthorized',
        `${response.url.host} asks for another proof (${schemes}) than those known here, Bearer and Basic`,
      );
    }
    if (password === undefined) throw statusFailure(401, {}, response.url);
    return basicAuthorization(password);
  }

  /** Obtains a token: https://distribution.github.io/distribution/spec/auth/token/ */
  async #token(challenge: Challenge, response: HttpResponse, signal: AbortSignal | undefined): Promise<string> {
    const realm = realmOf(challenge, response.url);
    const service = challenge.parameters.get('service');
    if (service !== undefined) realm.searchParams.set('service', service);
    realm.searchParams.set('scope', `repository:${this.#repository}:pull`);
    const confidentialHeaders: Record<string, string> =
      this.#credentials === undefined ? {} : { authorization: basicAuthorization(this.#credentials) };
    const answer = await this.#client.request(realm, { confidentialHeaders, referrer: response, signal });
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

function realmUrl({ parameters }: Challenge): URL | null {
  const realm = URL.parse(parameters.get('realm') ?? '');
  return realm !== null && /^https?:$/.test(realm.protocol) ? realm : null;
}

/** Returns the URL of the token server that a registry names. */
function realmOf(challenge: Challenge, registry: URL): URL {
  const realm = realmUrl(challenge);
  if (realm === null) {
    throw new TransferError('ProtocolViolation', `${registry.host} asks for a token and does not say from where`);
  }
  if (realm.protocol === 'http:' && registry.protocol === 'https:') {
    throw new TransferError(
      'RedirectRefused',
      `${registry.host} asks for a token of ${realm.host} over plain http, where others could read the password: ` +
        'the realm that the registry names has to be a URL of https',
    );
  }
  // Credentials in the registry's URL are not sent.
  realm.username = '';
  realm.password = '';
  return realm;
}
