import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTPayload, jwtVerify, type JWTVerifyGetKey } from 'jose';
import { TOKEN_ALGORITHM, TOKEN_ISSUER } from '../../protocol/installation.ts';
import { type UploadTokenClaims, uploadTokenClaims } from '../../protocol/upload-token.ts';
import { Refusal } from './refusal.ts';

/** By how much the clocks of the API server and of this process may differ, in seconds. */
const CLOCK_TOLERANCE_SECONDS = 10;
/** Longest token in characters; those of the API server have about 500. */
const LONGEST_TOKEN = 8192;

const ANOTHER_TOKEN = 'request another one with an UploadTokenRequest, as virtctl image-upload does';

/** Verifies upload tokens by the keys of a JSON Web Key Set (RFC 7517). */
export class TokenVerifier {
  readonly #keys: JWTVerifyGetKey;

  /** @throws Error if it is no key set */
  constructor(keySet: JSONWebKeySet) {
    this.#keys = createLocalJWKSet(keySet);
  }

  /**
   * @param authorization the header of a request
   * @throws Refusal 401 without a valid token, 400 where it is valid for something else
   */
  async verify(authorization: string | undefined): Promise<UploadTokenClaims> {
    const claims = uploadTokenClaims.safeParse(await this.#payload(bearerToken(authorization)));
    if (claims.success) return claims.data;
    throw new Refusal(400, `the token in the header Authorization is not for an upload into a claim: ${ANOTHER_TOKEN}`);
  }

  async #payload(token: string): Promise<JWTPayload> {
    try {
      const { payload } = await jwtVerify(token, this.#keys, {
        algorithms: [TOKEN_ALGORITHM],
        issuer: TOKEN_ISSUER,
        requiredClaims: ['exp'],
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
      });
      return payload;
    } catch (error) {
      const problem =
        error instanceof errors.JWTExpired
          ? 'has expired'
          : 'is not valid: it is damaged, or signed with a key that is not, or no longer, that of this cluster';
      throw unauthorized(`the token in the header Authorization ${problem}; ${ANOTHER_TOKEN}`, error);
    }
  }
}

function bearerToken(authorization = ''): string {
  const [, token] = /^bearer +([\w.~+/=-]+) *$/i.exec(authorization) ?? [];
  if (token !== undefined && token.length <= LONGEST_TOKEN) return token;
  throw unauthorized(
    `the request has no upload token: send it as "Authorization: Bearer TOKEN"; ` +
      'an UploadTokenRequest for the claim has it in status.token',
  );
}

function unauthorized(message: string, cause?: unknown): Refusal {
  return new Refusal(401, message, { cause, headers: { 'www-authenticate': 'Bearer realm="upload"' } });
}
