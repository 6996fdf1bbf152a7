import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { CertifiedKey } from '../../server/certificates.ts';
import { CLOCK_SKEW_MILLISECONDS } from '../../server/clock-skew.ts';

/** A certificate that can be read, with its key where it is our own. Times are milliseconds since the epoch. */
export interface Certificate {
  /** PEM. */
  readonly certificate: string;
  readonly x509: X509Certificate;
  readonly made: number;
  readonly expires: number;
}

export type Certified = Certificate & CertifiedKey;

/** Returns a certificate with its key; undefined where one of them cannot be read, or they do not belong together. */
export function readCertified(certificate: string | undefined, key: string | undefined): Certified | undefined {
  const read = certificate === undefined ? undefined : readCertificate(certificate);
  if (!read || key === undefined) return undefined;
  try {
    return read.x509.checkPrivateKey(createPrivateKey(key)) ? { ...read, key } : undefined;
  } catch {
    return undefined;
  }
}

/** Returns the certificates in a bundle that can be read, each once. */
export function readBundle(bundle: string | undefined): Certificate[] {
  const found = bundle?.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  const read = found.map(readCertificate).filter((each) => each !== undefined);
  return read.filter((each, index) => read.findIndex((other) => isSame(each, other)) === index);
}

/** Returns the bundle with certificates, PEM. */
export function writeBundle(certificates: readonly Certificate[]): string {
  return certificates.map(({ certificate }) => `${certificate.trim()}\n`).join('');
}

export function isSame(one: Certificate, other: Certificate): boolean {
  return one.x509.fingerprint256 === other.x509.fingerprint256;
}

function readCertificate(certificate: string): Certificate | undefined {
  try {
    const x509 = new X509Certificate(certificate);
    return {
      certificate,
      x509,
      made: Date.parse(x509.validFrom) + CLOCK_SKEW_MILLISECONDS,
      expires: Date.parse(x509.validTo),
    };
  } catch {
    return undefined;
  }
}
