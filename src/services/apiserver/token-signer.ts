import { createPrivateKey, type KeyObject } from 'node:crypto';
import { SignJWT } from 'jose';
import { UPLOAD_TOKEN_LIFETIME_SECONDS } from '../../api/upload-token-request.ts';
import { TOKEN_ALGORITHM, TOKEN_ISSUER } from '../../protocol/installation.ts';
import type { UploadTokenClaims } from '../../protocol/upload-token.ts';
import { verificationKeyOf } from '../../server/signing-key.ts';

/** Signs upload tokens: JSON Web Tokens (RFC 7519). */
export class TokenSigner {
  readonly #key: KeyObject;
  readonly #keyId: string;

  private constructor(key: KeyObject, keyId: string) {
    this.#key = key;
    this.#keyId = keyId;
  }

  /**
   * @param privateKey PKCS #8, PEM
   * @throws Error where it is no key of the algorithm
   */
  static async of(privateKey: string): Promise<TokenSigner> {
    const { kid } = await verificationKeyOf(privateKey);
    return new TokenSigner(createPrivateKey(privateKey), kid);
  }

  async sign(claims: UploadTokenClaims): Promise<string> {
    return new SignJWT({ ...claims })
      .setProtectedHeader({ alg: TOKEN_ALGORITHM, kid: this.#keyId })
      .setIssuer(TOKEN_ISSUER)
      .setIssuedAt()
      .setExpirationTime(`${UPLOAD_TOKEN_LIFETIME_SECONDS}s`)
      .sign(this.#key);
  }
}
