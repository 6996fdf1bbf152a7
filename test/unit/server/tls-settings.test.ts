import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type SecureVersion, type TLSSocket } from 'node:tls';
import { expect } from 'chai';
import { type CertifiedKey, createAuthority, issueCertificate } from '../../../src/server/certificates.ts';
import { isKnownCipher, tlsLimitsOf, type TlsProfile } from '../../../src/server/tls-profile.ts';
import { tls13Ciphers, tlsSettings } from '../../../src/server/tls-settings.ts';

const LIFETIME = 3_600_000;
const DEFAULTS = { minVersion: 'TLSv1.2' } as const;

/** The environment of a server, as the controllers make it of a profile. */
function environmentOf(profile: TlsProfile): NodeJS.ProcessEnv {
  const { minVersion, ciphers } = tlsLimitsOf(profile) ?? {};
  return { TLS_MIN_VERSION: minVersion, TLS_CIPHER_SUITES: ciphers?.join(',') };
}

describe('what servers accept of TLS', () => {
  let identity: CertifiedKey;
  before(async () => {
    const authority = await createAuthority('authority', { lifetime: LIFETIME });
    identity = await issueCertificate(authority, { commonName: 'server', usage: 'server' }, { lifetime: LIFETIME });
  });

  /** Resolves to the version and cipher that a client that offers these gets; undefined without a connection. */
  async function agreed(
    environment: NodeJS.ProcessEnv,
    offer: { readonly version?: SecureVersion; readonly ciphers?: string },
  ): Promise<string | undefined> {
    const { certificate: cert, key } = identity;
    const server = createServer({ ...tlsSettings(DEFAULTS, environment), cert, key });
    server.on('tlsClientError', () => undefined);
    server.on('secureConnection', (socket: TLSSocket) => socket.on('error', () => undefined));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const { version, ciphers } = offer;
    const socket = connect({
      port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      ...(version && { minVersion: version, maxVersion: version }),
      ciphers: ciphers ?? 'DEFAULT:@SECLEVEL=0',
    });
    try {
      await once(socket, 'secureConnect');
      return `${socket.getProtocol()} ${socket.getCipher().standardName}`;
    } catch {
      return undefined;
    } finally {
      socket.destroy();
      server.close();
    }
  }
  const versions = async (environment: NodeJS.ProcessEnv) => {
    const all = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const;
    const accepted = await Promise.all(
      all.map(async (version) => ((await agreed(environment, { version })) ? [version] : [])),
    );
    return accepted.flat();
  };

  const expected: Record<string, [profile: TlsProfile, versions: readonly string[]]> = {
    'what is usual, without a profile': [{}, ['TLSv1.2', 'TLSv1.3']],
    'everything, by Old': [{ type: 'Old' }, ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3']],
    'TLS 1.2 and later, by Intermediate': [{ type: 'Intermediate' }, ['TLSv1.2', 'TLSv1.3']],
    'TLS 1.3, by Modern': [{ type: 'Modern' }, ['TLSv1.3']],
    'what is chosen, by Custom': [
      { type: 'Custom', custom: { minTLSVersion: 'VersionTLS11', ciphers: null } },
      ['TLSv1.1', 'TLSv1.2', 'TLSv1.3'],
    ],
  };
  for (const [what, [profile, accepted]] of Object.entries(expected))
    it(`is ${what}`, async () => {
      expect(await versions(environmentOf(profile))).to.deep.equal(accepted);
    });

  it('are ciphers that were named, and those of TLS 1.3 unless some of them were', async () => {
    const custom = (...ciphers: string[]) => environmentOf({ type: 'Custom', custom: { ciphers } });
    const aes256 = custom('ECDHE-ECDSA-AES256-GCM-SHA384', 'NO-SUCH-CIPHER');
    expect(await agreed(aes256, { version: 'TLSv1.2' })).to.equal('TLSv1.2 TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384');
    expect(await agreed(aes256, { version: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' })).to.equal(undefined);
    expect(await agreed(aes256, { version: 'TLSv1.3' })).to.match(/^TLSv1\.3 /);
    const chacha = custom('TLS_CHACHA20_POLY1305_SHA256', 'ECDHE-ECDSA-AES256-GCM-SHA384');
    expect(await agreed(chacha, { version: 'TLSv1.3' })).to.equal('TLSv1.3 TLS_CHACHA20_POLY1305_SHA256');
    expect(await versions(custom('NO-SUCH-CIPHER'))).to.deep.equal(['TLSv1.2', 'TLSv1.3']);
  });

  it('between transfer pods are always ciphers that both have', () => {
    expect(tls13Ciphers({}).split(':')).to.have.length(3);
    expect(tls13Ciphers({ TLS_CIPHER_SUITES: 'TLS_AES_256_GCM_SHA384,AES128-SHA' })).to.equal('TLS_AES_256_GCM_SHA384');
    expect(tls13Ciphers({ TLS_CIPHER_SUITES: 'TLS_AES_128_CCM_SHA256' }).split(':')).to.have.length(3);
  });

  it('are the ciphers of the profiles, which OpenSSL has but for one that is broken', () => {
    for (const type of ['Old', 'Intermediate', 'Modern'] as const) {
      const unknown = tlsLimitsOf({ type })?.ciphers.filter((name) => !isKnownCipher(name));
      expect(unknown, type).to.deep.equal(type === 'Old' ? ['DES-CBC3-SHA'] : []);
    }
    expect(tlsLimitsOf({ type: '' })).to.equal(undefined);
  });
});
