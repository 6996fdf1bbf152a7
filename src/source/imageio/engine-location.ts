import { describeUrl, parseHttpUrl } from '../http/location.ts';

/** Where the parts of an engine are. */
export class EngineLocation {
  readonly #api: URL;

  /**
   * @param given URL of the API, `https://engine/ovirt-engine/api`
   * @throws TransferError InvalidUrl
   */
  constructor(given: string) {
    const { origin, pathname } = parseHttpUrl(given);
    this.#api = new URL(origin + pathname.replace(/\/+$/, ''));
  }

  get host(): string {
    return this.#api.host;
  }

  /** Single sign-on, which is beside the API, whatever the path of that is. */
  get logIn(): URL {
    return new URL('/ovirt-engine/sso/oauth/token', this.#api);
  }

  get logOut(): URL {
    return new URL('/ovirt-engine/services/sso-logout', this.#api);
  }

  /** @param path of the API, from its slash on */
  of(path: string): URL {
    return new URL(`${this.#api.href}${path}`);
  }

  /** The place of a disk for people. */
  describe(disk: string): string {
    return describeUrl(this.of(`/disks/${encodeURIComponent(disk)}`));
  }
}
