import 'reflect-metadata'; // has to be loaded before x509, whose dependency injection needs it
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

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

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
/** Clocks of nodes differ, so that a certificate is valid from some time before it was made. */
const CLOCK_SKEW_MILLISECONDS = 10 * 60 * 1000;

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
  const now = Date.now();
  const validity = {
    notBefore: new Date(now - CLOCK_SKEW_MILLISECONDS),
    notAfter: new Date(now + options.lifetime),
  };
  const authorityKeys = await generateKeys();
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity,
    serialNumber: serialNumber(),
    name: 'CN=Diskpress transfer authority',
    keys: authorityKeys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      await x509.SubjectKeyIdentifierExtension.create(authorityKeys.publicKey),
    ],
  });

  const issue = async (commonName: string, usage: x509.ExtendedKeyUsage, names: string[]): Promise<CertifiedKey> => {
    const keys = await generateKeys();
    const certificate = await x509.X509CertificateGenerator.create({
      ...validity,
      serialNumber: serialNumber(),
      subject: `CN=${commonName}`,
      issuer: authority.subject,
      publicKey: keys.publicKey,
      signingKey: authorityKeys.privateKey,
      signingAlgorithm: ALGORITHM,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([usage]),
        await x509.AuthorityKeyIdentifierExtension.create(authorityKeys.publicKey),
        ...(names.length > 0
          ? [new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: 'dns' as const, value })))]
          : []),
      ],
    });
    return { certificate: certificate.toString('pem'), key: await privateKeyPem(keys.privateKey) };
  };

  return {
    ca: authority.toString('pem'),
    // The host name is an alternative name, which may be longer than the 64 characters of a common name.
    server: await issue('Diskpress copy target', x509.ExtendedKeyUsage.serverAuth, [options.serverName]),
    client: await issue('Diskpress clone source', x509.ExtendedKeyUsage.clientAuth, []),
  };
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
