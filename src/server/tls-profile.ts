import { getCiphers } from 'node:tls';

/** What OpenShift's API says of TLS, as far as servers need it. */
export interface TlsProfile {
  readonly type?: '' | 'Old' | 'Intermediate' | 'Modern' | 'Custom' | undefined;
  readonly custom?:
    | { readonly ciphers?: readonly string[] | null | undefined; readonly minTLSVersion?: TlsVersion | undefined }
    | null
    | undefined;
}

export const tlsVersions = ['VersionTLS10', 'VersionTLS11', 'VersionTLS12', 'VersionTLS13'] as const;
export type TlsVersion = (typeof tlsVersions)[number];

/** What a server accepts. */
export interface TlsLimits {
  readonly minVersion: TlsVersion;
  /** Names of OpenSSL, the preferred ones first; empty where none are chosen. */
  readonly ciphers: readonly string[];
}

/** The ciphers of TLS 1.3 that all profiles have; those come first for which processors have instructions. */
export const modernCiphers: readonly string[] = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
];
const INTERMEDIATE = [
  ...modernCiphers,
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
  'DHE-RSA-AES128-GCM-SHA256',
  'DHE-RSA-AES256-GCM-SHA384',
];
const OLD = [
  ...INTERMEDIATE,
  'DHE-RSA-CHACHA20-POLY1305',
  'ECDHE-ECDSA-AES128-SHA256',
  'ECDHE-RSA-AES128-SHA256',
  'ECDHE-ECDSA-AES128-SHA',
  'ECDHE-RSA-AES128-SHA',
  'ECDHE-ECDSA-AES256-SHA384',
  'ECDHE-RSA-AES256-SHA384',
  'ECDHE-ECDSA-AES256-SHA',
  'ECDHE-RSA-AES256-SHA',
  'DHE-RSA-AES128-SHA256',
  'DHE-RSA-AES256-SHA256',
  'AES128-GCM-SHA256',
  'AES256-GCM-SHA384',
  'AES128-SHA256',
  'AES256-SHA256',
  'AES128-SHA',
  'AES256-SHA',
  'DES-CBC3-SHA',
];

/** The profiles of Mozilla's recommendations, version 5, as OpenShift has them. */
const predefined = {
  Old: { minVersion: 'VersionTLS10', ciphers: OLD },
  Intermediate: { minVersion: 'VersionTLS12', ciphers: INTERMEDIATE },
  Modern: { minVersion: 'VersionTLS13', ciphers: modernCiphers },
} as const satisfies Record<string, TlsLimits>;

/** Returns what a profile asks for; undefined where it says nothing. */
export function tlsLimitsOf(profile: TlsProfile | undefined): TlsLimits | undefined {
  if (!profile?.type) return undefined;
  if (profile.type !== 'Custom') return predefined[profile.type];
  const { ciphers, minTLSVersion = 'VersionTLS12' } = profile.custom ?? {};
  return { minVersion: minTLSVersion, ciphers: ciphers ?? [] };
}

/** Reports whether a cipher of that name of OpenSSL's can be offered. */
export function isKnownCipher(name: string): boolean {
  return getCiphers().includes(name.toLowerCase());
}

/** Reports whether a cipher is one of TLS 1.3, which are named otherwise than older ones. */
export function isOfTls13(name: string): boolean {
  return name.toUpperCase().startsWith('TLS_');
}
