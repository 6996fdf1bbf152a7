import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const year = 365 * 24 * 3600 * 1000;

/** A certificate and its private key, PEM. */
export interface KeyPair {
  certificate: string;
  key: string;
}

export interface Subject {
  commonName: string;
  organization?: string;
  /** Names and IP addresses a server is called by. */
  names?: string[];
}

/** A certificate authority for the lifetime of one cluster. */
export class Authority {
  readonly certificate: string;
  readonly key: string;
  readonly #certificate: x509.X509Certificate;
  readonly #key: webcrypto.CryptoKey;

  private constructor(certificate: x509.X509Certificate, key: webcrypto.CryptoKey, keyPem: string) {
    this.#certificate = certificate;
    this.#key = key;
    this.certificate = `${certificate.toString('pem')}\n`;
    this.key = keyPem;
  }

  /** The same authority in another process. */
  static async from(pair: KeyPair): Promise<Authority> {
    const key = await webcrypto.subtle.importKey('pkcs8', x509.PemConverter.decodeFirst(pair.key), algorithm, false, [
      'sign',
    ]);
    return new Authority(new x509.X509Certificate(pair.certificate), key, pair.key);
  }

  static async create(commonName: string): Promise<Authority> {
    const keys = await generate();
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      name: [{ CN: [commonName] }],
      keys,
      signingAlgorithm: algorithm,
      ...validity(),
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    });
    return new Authority(certificate, keys.privateKey, await privatePem(keys.privateKey));
  }

  /** Issues a certificate that serves as a client's and, for its names, as a server's. */
  async issue(subject: Subject): Promise<KeyPair> {
    if (!subject.organization && this.#certificate.subject === `CN=${subject.commonName}`) {
      // Go would take it; OpenSSL, so Node, takes it for self-signed and trusts it no more.
      throw new RangeError(`a certificate and its authority cannot both be called ${subject.commonName}`);
    }
    const keys = await generate();
    const certificate = await x509.X509CertificateGenerator.create({
      subject: [
        ...(subject.organization === undefined ? [] : [{ O: [subject.organization] }]),
        { CN: [subject.commonName] },
      ],
      issuer: this.#certificate.subjectName,
      publicKey: keys.publicKey,
      signingKey: this.#key,
      signingAlgorithm: algorithm,
      ...validity(),
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
        await x509.AuthorityKeyIdentifierExtension.create(this.#certificate.publicKey),
        ...(subject.names ? [new x509.SubjectAlternativeNameExtension(subject.names.map(generalName))] : []),
      ],
    });
    return { certificate: `${certificate.toString('pem')}\n`, key: await privatePem(keys.privateKey) };
  }
}

/** A key pair without a certificate: what service account tokens are signed and verified with. */
export async function signingKeys(): Promise<{ publicKey: string; key: string }> {
  const keys = await generate();
  const spki = await webcrypto.subtle.exportKey('spki', keys.publicKey);
  return { publicKey: `${x509.PemConverter.encode(spki, 'PUBLIC KEY')}\n`, key: await privatePem(keys.privateKey) };
}

function generate(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
}

async function privatePem(key: webcrypto.CryptoKey): Promise<string> {
  return `${x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')}\n`;
}

function validity(): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(Date.now() - 3600_000), notAfter: new Date(Date.now() + 10 * year) };
}

function generalName(name: string): x509.JsonGeneralName {
  return { type: /^[\d.]+$|:/.test(name) ? 'ip' : 'dns', value: name };
}
