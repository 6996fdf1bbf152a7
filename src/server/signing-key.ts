import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { calculateJwkThumbprint, type JWK } from 'jose';

/** A public key for ES256 (RFC 7518) as a JSON Web Key (RFC 7517), named by its thumbprint (RFC 7638). */
export type VerificationKey = JWK & { readonly kid: string };

/** Creates a private key for ES256: PKCS #8, PEM. */
export function createSigningKey(): string {
  return generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  }).privateKey;
}

/**
 * Returns the public key that belongs to a private key.
 *
 * @throws Error where it is no private key, or one for another algorithm
 */
export async function verificationKeyOf(privateKey: string): Promise<VerificationKey> {
  const { kty, crv, x, y } = createPublicKey(privateKey).export({ format: 'jwk' });
  if (kty !== 'EC' || crv !== 'P-256' || !x || !y) throw new TypeError('the signing key is not one for ES256');
  const key = { kty, crv, x, y };
  return { ...key, alg: 'ES256', use: 'sig', kid: await calculateJwkThumbprint(key) };
}
