import { createSecureContext, type ConnectionOptions, type SecureContext } from 'node:tls';
import { trustedCertificates } from './certificates.ts';

export interface TrustOptions {
  /** Folders of PEM certificates to trust besides the system's, or files of such. */
  certificatesDirectories?: readonly string[];
  /** Accept any certificate. */
  insecureSkipVerify?: boolean;
  /** Accept any certificate of these, `host[:port]`. */
  insecureHosts?: readonly string[];
}

/** Which certificates are trusted, and of which servers it does not matter. */
export class Trust {
  readonly #options: TrustOptions;
  #reading: Promise<{ secureContext: SecureContext }> | undefined;

  constructor(options: TrustOptions) {
    this.#options = options;
  }

  /** For a server of https. */
  async of(url: URL): Promise<ConnectionOptions> {
    const { insecureSkipVerify = false, insecureHosts = [] } = this.#options;
    const isListed = insecureHosts.some((host) => URL.parse(`https://${host}`)?.host === url.host);
    return insecureSkipVerify || isListed ? { rejectUnauthorized: false } : this.verified();
  }

  /** Whatever is said of servers. They are read once, since there are many. */
  verified(): Promise<{ secureContext: SecureContext }> {
    const { certificatesDirectories = [] } = this.#options;
    this.#reading ??= trustedCertificates(certificatesDirectories).then((ca) => ({
      secureContext: createSecureContext({ ca }),
    }));
    return this.#reading;
  }
}
