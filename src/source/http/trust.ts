import { type ConnectionOptions, createSecureContext, type SecureContext } from 'node:tls';
import { trustedCertificates } from './certificates.ts';

/** TLS options of a connection whose server is verified. */
export interface VerifiedTls {
  readonly secureContext: SecureContext;
}

export interface TrustOptions {
  /** Folders of PEM certificates, or files of them, that are trusted besides the system's. */
  certificatesDirectories?: readonly string[];
  /** Returns what is trusted instead of all these and the system's, where that is shared by several clients. */
  sharedTrust?: (() => Promise<VerifiedTls>) | undefined;
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
  #reading: Promise<VerifiedTls> | undefined;

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
  verified(): Promise<VerifiedTls> {
    const { certificatesDirectories = [], sharedTrust } = this.#options;
    if (sharedTrust !== undefined) return sharedTrust();
    this.#reading ??= trustedCertificates(certificatesDirectories).then((ca) => ({
      secureContext: createSecureContext({ ca }),
    }));
    return this.#reading;
  }
}
