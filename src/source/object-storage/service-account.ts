import { importPKCS8, SignJWT } from 'jose';
import * as z from 'zod';
import { TransferError } from '../../base/errors.ts';
import { bearerAuthorization, bearerToken } from '../http/bearer-token.ts';
import type { HttpClient } from '../http/client.ts';
import { statusFailure } from '../http/failures.ts';
import { parseHttpUrl } from '../http/location.ts';
import { readJson } from '../http/read-document.ts';

const SCOPE = 'https://www.googleapis.com/auth/devstorage.read_only';
const GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
/** How long before its expiry a token is replaced, in milliseconds. */
const MARGIN = 60_000;

const keyFile = z.object({
  type: z.literal('service_account'),
  client_email: z.string(),
  private_key: z.string(),
  private_key_id: z.string().optional(),
  token_uri: z.string().default('https://oauth2.googleapis.com/token'),
});
const tokenAnswer = z.object({ access_token: bearerToken, expires_in: z.number().positive() });

/** A service account of Google Cloud: https://developers.google.com/identity/protocols/oauth2/service-account */
export class ServiceAccount {
  readonly #key: z.infer<typeof keyFile>;
  readonly #tokenUrl: URL;
  #token: { value: string; until: number } | undefined;

  /**
   * @param text of credentials.json
   * @throws TransferError InvalidRequest
   */
  constructor(text: string) {
    const parsed = keyFile.safeParse(parseJson(text));
    if (!parsed.success) {
      const why = parsed.error.issues.map(({ path }) => path.join('.')).join(', ') || 'it is not JSON';
      throw new TransferError(
        'InvalidRequest',
        `credentials.json is not a key of a service account (look at: ${why}): make one in the Google Cloud console`,
      );
    }
    this.#key = parsed.data;
    this.#tokenUrl = parseHttpUrl(parsed.data.token_uri);
  }

  /** Returns the value of the Authorization header. A token is reused until shortly before it expires. */
  async authorization(client: HttpClient): Promise<string> {
    if (this.#token === undefined || Date.now() > this.#token.until) this.#token = await this.#newToken(client);
    return bearerAuthorization(this.#token.value);
  }

  /** Discards the token; to be called when the server no longer accepts it. */
  forgetToken(): void {
    this.#token = undefined;
  }

  async #newToken(client: HttpClient): Promise<{ value: string; until: number }> {
    const asked = Date.now();
    const response = await client.request(this.#tokenUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ grant_type: GRANT, assertion: await this.#assertion() }).toString(),
    });
    if (response.status === 400 || response.status === 401) {
      await response.body.dump();
      throw new TransferError(
        'Unauthorized',
        `${this.#tokenUrl.host} gives ${this.#key.client_email} no token: is the key in credentials.json still valid?`,
      );
    }
    if (response.status !== 200) {
      await response.body.dump();
      throw statusFailure(response.status, response.headers, response.url);
    }
    const answer = tokenAnswer.safeParse(await readJson(response));
    if (!answer.success) {
      throw new TransferError('ProtocolViolation', `${this.#tokenUrl.host} answered without a token`);
    }
    return { value: answer.data.access_token, until: asked + answer.data.expires_in * 1000 - MARGIN };
  }

  async #assertion(): Promise<string> {
    const { client_email: email, private_key: pem, private_key_id: keyId, token_uri: audience } = this.#key;
    try {
      return await new SignJWT({ scope: SCOPE })
        .setProtectedHeader({ alg: 'RS256', typ: 'JWT', ...(keyId === undefined ? {} : { kid: keyId }) })
        .setIssuer(email)
        .setAudience(audience)
        .setIssuedAt()
        .setExpirationTime('1h')
        .sign(await importPKCS8(pem, 'RS256'));
    } catch (error) {
      throw new TransferError('InvalidRequest', 'the private_key in credentials.json is not an RSA key in PKCS #8', {
        cause: error,
      });
    }
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
