import { createHash } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { trustedCertificates } from '../http/certificates.ts';
import type { VerifiedTls } from '../http/trust.ts';

/** Most contexts that are kept; each takes 1.3 MB, and 15 ms of the processor to make. */
const MOST_CONTEXTS = 8;

/** Shares what TLS connections trust among those who trust the same authorities besides the system's. */
export class SharedContexts {
  /** Contexts by their certificates, those that were used last at the end. */
  readonly #contexts = new Map<string, Promise<VerifiedTls>>();

  /** @param certificates texts with PEM certificates */
  of(certificates: readonly string[]): Promise<VerifiedTls> {
    const key = createHash('sha256').update(certificates.join('\n')).digest('hex');
    const context = this.#contexts.get(key) ?? createContext(certificates);
    this.#contexts.delete(key);
    this.#contexts.set(key, context);
    for (const oldest of this.#contexts.keys()) {
      if (this.#contexts.size <= MOST_CONTEXTS) break;
      this.#contexts.delete(oldest);
    }
    return context;
  }
}

async function createContext(certificates: readonly string[]): Promise<VerifiedTls> {
  return { secureContext: createSecureContext({ ca: await trustedCertificates([], certificates) }) };
}
