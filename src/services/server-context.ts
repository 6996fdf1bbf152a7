import { createSecureContext, type SecureContextOptions } from 'node:tls';

/** The certificate and key of a server, which others take the place of while it runs. */
export class ServerContext {
  readonly #listeners: ((options: SecureContextOptions) => void)[] = [];
  #options: SecureContextOptions | undefined;

  get isThere(): boolean {
    return this.#options !== undefined;
  }

  /** @throws Error where they cannot be used, such as a certificate that does not belong to the key */
  replace(options: SecureContextOptions): void {
    // Noticed here, rather than by the server.
    createSecureContext(options);
    this.#options = options;
    for (const listener of this.#listeners) listener(options);
  }

  /** Calls the listener now, if there is a certificate, and whenever there is another one. */
  onChange(listener: (options: SecureContextOptions) => void): void {
    this.#listeners.push(listener);
    if (this.#options) listener(this.#options);
  }
}
