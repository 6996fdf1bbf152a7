import 'reflect-metadata'; // has to be loaded before x509, whose dependency injection needs it
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { CLOCK_SKEW_MILLISECONDS } from './clock-skew.ts';

/** A certificate and its private key (PKCS #8), both PEM. */
export interface CertifiedKey {
  certificate: string;
  key: string;
}

/** Everything that the two pods of one clone need for mutual TLS. The private key of the authority is not kept. */
export interface TransferCertificates {
  /** The authority that signed both certificates, in PEM: each pod trusts this one and no other. */
  ca: string;
  server: CertifiedKey;
  client: CertifiedKey;
}

/** From when to when a certificate is valid. */
export interface Validity {
  /** Milliseconds since the epoch; now unless it is given. */
  readonly now?: number;
  /** Milliseconds from now until the certificate expires. */
  readonly lifetime: number;
}

/** What a certificate says of its holder. */
export interface Subject {
  readonly commonName: string;
  /** Whether it is shown by servers or by their clients. */
  readonly usage: 'server' | 'client';
  /** DNS names of a server, which may be longer than the 64 characters of a common name. */
  readonly names?: readonly string[];
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

const usages = { server: x509.ExtendedKeyUsage.serverAuth, client: x509.ExtendedKeyUsage.clientAuth };

/** Creates an authority, which certifies itself. */
export async function createAuthority(commonName: string, validity: Validity): Promise<CertifiedKey> {
  const keys = await generateKeys();
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    ...period(validity),
    serialNumber: serialNumber(),
    name: nameOf(commonName),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: authority.toString('pem'), key: await privateKeyPem(keys.privateKey) };
}

/**
 * Creates a key, and certifies it by an authority. The certificate expires with its authority at the latest.
 *
 * @throws Error where the authority's certificate or key cannot be read
 */
export async function issueCertificate(
  authority: CertifiedKey,
  subject: Subject,
  validity: Validity,
): Promise<CertifiedKey> {
  const issuer = new x509.X509Certificate(authority.certificate);
  const signingKey = await webcrypto.subtle.importKey(
    'pkcs8',
    x509.PemConverter.decodeFirst(authority.key),
    ALGORITHM,
    false,
    ['sign'],
  );
  const keys = await generateKeys();
  const { notBefore, notAfter } = period(validity);
  const names = (subject.names ?? []).map((value) => ({ type: 'dns' as const, value }));
  const certificate = await x509.X509CertificateGenerator.create({
    notBefore,
    notAfter: notAfter > issuer.notAfter ? issuer.notAfter : notAfter,
    serialNumber: serialNumber(),
    subject: nameOf(subject.commonName),
    issuer: issuer.subject,
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([usages[subject.usage]]),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : []),
    ],
  });
  return { certificate: certificate.toString('pem'), key: await privateKeyPem(keys.privateKey) };
}

/**
 * Creates an authority for one transfer, with one certificate for the copy server and one for its only client.
 *
 * @param options.serverName the DNS name at which the client reaches the server
 * @param options.lifetime milliseconds from now until the certificates expire
 */
export async function createTransferCertificates(options: {
  serverName: string;
  lifetime: number;
}): Promise<TransferCertificates> {
  const validity = { now: Date.now(), lifetime: options.lifetime };
  const authority = await createAuthority('Diskpress transfer authority', validity);
  const server: Subject = { commonName: 'Diskpress copy target', usage: 'server', names: [options.serverName] };
  return {
    ca: authority.certificate,
    server: await issueCertificate(authority, server, validity),
    client: await issueCertificate(authority, { commonName: 'Diskpress clone source', usage: 'client' }, validity),
  };
}

/** Returns the distinguished name with a common name, which is text and not parsed. */
function nameOf(commonName: string): x509.JsonName {
  return [{ CN: [commonName] }];
}

function period({ now = Date.now(), lifetime }: Validity): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(now - CLOCK_SKEW_MILLISECONDS), notAfter: new Date(now + lifetime) };
}

async function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

async function privateKeyPem(key: webcrypto.CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY');
}

/** Returns 16 random bytes, the first bits of which are fixed: serial numbers are positive (RFC 5280, 4.1.2.2). */
function serialNumber(): string {
  const bytes = webcrypto.getRandomValues(new Uint8Array(16));
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return Buffer.from(bytes).toString('hex');
}
