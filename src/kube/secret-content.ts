import type { Secret } from './builtin-resources.ts';
import { secretText } from './secret-text.ts';

/** Returns the text of one key of a Secret. @throws Error if the Secret has no such key */
export function requiredText(secret: Secret, key: string): string {
  const text = secretText(secret, key);
  if (!text) throw new Error(`Secret ${secret.metadata?.name ?? ''} has no key ${key}`);
  return text;
}

/** Returns the certificate and the key of a Secret of type kubernetes.io/tls. @throws Error if it lacks one of them */
export function keyPairIn(secret: Secret): { cert: string; key: string } {
  return { cert: requiredText(secret, 'tls.crt'), key: requiredText(secret, 'tls.key') };
}
