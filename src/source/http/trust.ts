import { type ConnectionOptions, createSecureContext, type SecureContext } from 'node:tls';
import { trustedCertificates } from './certificates.ts';

export interface TrustOptions {
  /** Folders of PEM certificates, or files of them, that are trusted besides the system's. */
  certificatesDirectories?: readonly string[];
  /** Texts with PEM certificates that are trusted, too. */
  certificates?: readonly string[];
  /** Whether any certificate is accepted. */
  insecureSkipVerify?: boolean;
  /** Hosts of which any certificate is accepted, `host[:port]`. */
  insecureHosts?: readonly string[];
  /** A PEM certificate, which servers must have, whoever made it and for whatever name; it replaces all others. */
  pinnedCertificate?: string | undefined;
}

/** Which certificates are trusted, and which servers are not verified. */
export class Trust {
  readonly #options: TrustOptions;
  #reading: Promise<{ secureContext: SecureContext }> | undefined;

  constructor(options: TrustOptions) {
    this.#options = options;
  }

  /** Returns the TLS options for an https server. */
  async of(url: URL): Promise<ConnectionOptions> {
    const { insecureSkipVerify = false, insecureHosts = [], pinnedCertificate } = this.#options;
    if (pinnedCertificate !== undefined) return this.#pinned(pinnedCertificate);
    const isListed = insecureHosts.some((host) => URL.parse(`https://${host}`)?.host === url.host);
    return insecureSkipVerify || isListed ? { rejectUnauthorized: false } : this.verified();
  }

  #pinned(certificate: string): ConnectionOptions {
    const secureContext = createSecureContext({ ca: certificate, allowPartialTrustChain: true });
    return { secureContext, checkServerIdentity: () => undefined };
  }

  /** Returns TLS options with verification, regardless of settings for servers. The many certificates are read once. */
  verified(): Promise<{ secureContext: SecureContext }> {
    const { certificatesDirectories = [], certificates = [] } = this.#options;
    this.#reading ??= trustedCertificates(certificatesDirectories, certificates).then((ca) => ({
      secureContext: createSecureContext({ ca }),
    }));
    return this.#reading;
  }
}
