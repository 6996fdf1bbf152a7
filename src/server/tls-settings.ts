import { env } from 'node:process';
import type { SecureContextOptions, SecureVersion } from 'node:tls';
import { isKnownCipher, isOfTls13, modernCiphers, type TlsVersion, tlsVersions } from './tls-profile.ts';

/** The variables by which a process is told what its servers accept; the flags have the same names. */
export const TLS_MIN_VERSION_VARIABLE = 'TLS_MIN_VERSION';
export const TLS_CIPHER_SUITES_VARIABLE = 'TLS_CIPHER_SUITES';

const secureVersions: Readonly<Record<TlsVersion, SecureVersion>> = {
  VersionTLS10: 'TLSv1',
  VersionTLS11: 'TLSv1.1',
  VersionTLS12: 'TLSv1.2',
  VersionTLS13: 'TLSv1.3',
};

/** What a server accepts where nobody says anything. */
export interface TlsDefaults {
  readonly minVersion: SecureVersion;
  /** Names of OpenSSL; those that Node has by default where they are missing. */
  readonly ciphers?: readonly string[];
}

/**
 * Returns what a server accepts, by TLS_MIN_VERSION (such as VersionTLS12) and TLS_CIPHER_SUITES (names of OpenSSL,
 * separated by commas) of the environment. Names that nobody knows are passed over. As in other programs of
 * Kubernetes, ciphers of TLS 1.3 are limited only where some of them are named.
 */
export function tlsSettings(
  defaults: TlsDefaults,
  environment: NodeJS.ProcessEnv = env,
): Pick<SecureContextOptions, 'minVersion' | 'ciphers'> {
  const version = tlsVersions.find((known) => known === environment[TLS_MIN_VERSION_VARIABLE]);
  const minVersion = version ? secureVersions[version] : defaults.minVersion;
  const named = (environment[TLS_CIPHER_SUITES_VARIABLE] ?? '').split(',').filter(isKnownCipher);
  const ciphers = named.length > 0 ? withTls13(named) : [...(defaults.ciphers ?? [])];
  // OpenSSL signs nothing of these versions at its usual level of security.
  const isOld = minVersion === 'TLSv1' || minVersion === 'TLSv1.1';
  const list = [...(isOld && ciphers.length === 0 ? ['DEFAULT'] : ciphers), ...(isOld ? ['@SECLEVEL=0'] : [])];
  return { minVersion, ...(list.length > 0 && { ciphers: list.join(':') }) };
}

/** Returns those ciphers of TLS 1.3 that the environment names; all where it names none of them. */
export function tls13Ciphers(environment: NodeJS.ProcessEnv = env): string {
  const named = (environment[TLS_CIPHER_SUITES_VARIABLE] ?? '').split(',');
  const chosen = modernCiphers.filter((name) => named.includes(name));
  return (chosen.length > 0 ? chosen : modernCiphers).join(':');
}

function withTls13(ciphers: readonly string[]): string[] {
  return ciphers.some(isOfTls13) ? [...ciphers] : [...modernCiphers, ...ciphers];
}
