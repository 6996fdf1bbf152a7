import { X509Certificate } from 'node:crypto';
import { expect } from 'chai';
import { calculateJwkThumbprint, createLocalJWKSet, importPKCS8, jwtVerify, SignJWT } from 'jose';
import {
  apiServices,
  mutatingWebhookConfigurations,
  type Secret,
  secrets,
} from '../../../../src/kube/builtin-resources.ts';
import {
  roleCertificates,
  type Signer,
  signers,
  TOKEN_SIGNING_KEY,
  TOKEN_SIGNING_SECRET,
  TOKEN_VERIFICATION_KEY,
  TOKEN_VERIFICATION_SECRET,
  uploadClientCertificate,
} from '../../../../src/protocol/installation.ts';
import { verificationKeyOf } from '../../../../src/server/signing-key.ts';
import { rejection } from '../../../support/rejection.ts';
import { Installation } from './installation.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const issued = [...Object.values(roleCertificates), uploadClientCertificate];

const certificatesIn = (bundle: string) =>
  (bundle.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g) ?? []).map((pem) => new X509Certificate(pem));

/** Whether a certificate is signed by one in the bundle that is valid now. */
function isTrusted(certificate: X509Certificate, bundle: string, now: number): boolean {
  return certificatesIn(bundle).some(
    (authority) =>
      Date.parse(authority.validTo) > now &&
      certificate.checkIssued(authority) &&
      certificate.verify(authority.publicKey),
  );
}

function requireTrusted(installation: Installation): void {
  for (const { secret, signer } of issued) {
    const certificate = new X509Certificate(installation.text(secret, 'tls.crt'));
    expect(Date.parse(certificate.validTo), secret).to.be.greaterThan(installation.time);
    expect(isTrusted(certificate, installation.bundle(signer), installation.time), secret).to.equal(true);
  }
}

const keySet = (installation: Installation) =>
  JSON.parse(installation.text(TOKEN_VERIFICATION_SECRET, TOKEN_VERIFICATION_KEY)) as {
    keys: { kid: string; kty: string; crv: string; x: string; y: string }[];
  };

async function sign(installation: Installation): Promise<string> {
  const pem = installation.text(TOKEN_SIGNING_SECRET, TOKEN_SIGNING_KEY);
  const { kid } = await verificationKeyOf(pem);
  return new SignJWT({}).setProtectedHeader({ alg: 'ES256', kid }).sign(await importPKCS8(pem, 'ES256'));
}

describe('the certificates of an installation', () => {
  let installation: Installation;

  beforeEach(async () => {
    installation = new Installation();
    await installation.settle();
  });

  it('are made at once, for the names by which each server is reached', () => {
    requireTrusted(installation);
    const certificate = new X509Certificate(installation.text(roleCertificates.apiserver.secret, 'tls.crt'));
    for (const name of ['cdi-api.cdi.svc', 'cdi-api.cdi.svc.cluster.local', 'cdi-api.cdi', 'cdi-api'])
      expect(certificate.checkHost(name)).to.equal(name);
    const client = new X509Certificate(installation.text(uploadClientCertificate.secret, 'tls.crt'));
    expect(client.subject).to.equal(`CN=${uploadClientCertificate.commonName}`);
  });

  it('are no certificates of another authority', () => {
    for (const { secret, signer } of issued) {
      const certificate = new X509Certificate(installation.text(secret, 'tls.crt'));
      const others = (Object.keys(signers) as Signer[]).filter((other) => other !== signer);
      for (const other of others)
        expect(isTrusted(certificate, installation.bundle(other), installation.time)).to.equal(false);
    }
  });

  it('are made once: a second look writes nothing', async () => {
    const { writes } = installation;
    await installation.settle();
    expect(installation.writes).to.equal(writes);
  });

  it('have the name of the upload proxy outside, where it has one', async () => {
    const { secret } = roleCertificates.uploadproxy;
    const configured = (uploadProxyURLOverride: string) => {
      installation.cdiConfig = { spec: { uploadProxyURLOverride } } as never;
      return installation.settle();
    };
    await configured('https://upload.example.org:8443/');
    const certificate = new X509Certificate(installation.text(secret, 'tls.crt'));
    expect(certificate.checkHost('upload.example.org')).to.equal('upload.example.org');
    await configured('https://192.0.2.7');
    expect(installation.text(secret, 'tls.crt')).not.to.equal(certificate.toString());
    requireTrusted(installation);
  });

  it('are trusted at every moment of three days, also by those who learn of authorities late', async () => {
    // What each client trusts lags behind by as much as an announcement lasts.
    const known: { time: number; bundles: ReadonlyMap<Signer, string> }[] = [];
    const seen = new Set<string>();
    await installation.pass(3 * 24 * HOUR, () => {
      requireTrusted(installation);
      const bundles = new Map((Object.keys(signers) as Signer[]).map((each) => [each, installation.bundle(each)]));
      known.push({ time: installation.time, bundles });
      const late = known.findLast(({ time }) => time <= installation.time - 4 * MINUTE) ?? known[0];
      for (const { secret, signer } of issued) {
        const certificate = new X509Certificate(installation.text(secret, 'tls.crt'));
        seen.add(certificate.fingerprint256);
        expect(isTrusted(certificate, late?.bundles.get(signer) ?? '', installation.time), secret).to.equal(true);
      }
    });
    // Every twelve hours each.
    expect(seen.size).to.be.within(6 * issued.length, 8 * issued.length);
  }).timeout(60_000);

  it('keep the authority before in the bundle until it expires, and no longer', async () => {
    const [first] = certificatesIn(installation.bundle('apiserver'));
    await installation.pass(47 * HOUR);
    const during = certificatesIn(installation.bundle('apiserver'));
    expect(during.map(({ fingerprint256 }) => fingerprint256)).to.include(first?.fingerprint256);
    await installation.pass(2 * HOUR);
    const after = certificatesIn(installation.bundle('apiserver'));
    expect(after.map(({ fingerprint256 }) => fingerprint256)).not.to.include(first?.fingerprint256);
  });

  it('follow a shorter lifetime at once', async () => {
    const before = installation.text(signers.apiserver, 'tls.crt');
    await installation.pass(HOUR);
    installation.certConfig = {
      ca: { duration: '20m0s', renewBefore: '10m0s' },
      server: { duration: '10m', renewBefore: '5m' },
    };
    await installation.pass(5 * MINUTE, () => requireTrusted(installation));
    expect(installation.text(signers.apiserver, 'tls.crt')).not.to.equal(before);
    const { validTo } = new X509Certificate(installation.text(roleCertificates.apiserver.secret, 'tls.crt'));
    expect(Date.parse(validTo)).to.be.at.most(installation.time + 10 * MINUTE);
  });

  it('are written where the API server looks for whom to trust', async () => {
    const written = () => {
      const [service] = installation.api.list(apiServices);
      const [configuration] = installation.api.list(mutatingWebhookConfigurations);
      return [service?.spec?.caBundle, configuration?.webhooks?.[0]?.clientConfig.caBundle].map((bundle) =>
        Buffer.from(bundle ?? '', 'base64').toString(),
      );
    };
    await installation.pass(60 * HOUR, () => {
      expect(written()).to.deep.equal([installation.bundle('apiserver'), installation.bundle('apiserver')]);
    });
    const [service] = installation.api.list(apiServices);
    installation.api.change(
      'cluster',
      apiServices,
      { namespace: '', name: service?.metadata?.name ?? '' },
      (current) => ({
        ...current,
        spec: { groupPriorityMinimum: 1000, versionPriority: 15 },
      }),
    );
    await installation.settle();
    expect(written()[0]).to.equal(installation.bundle('apiserver'));
  });

  it('come to the same end wherever the controllers are killed', async () => {
    const untroubled = new Installation();
    await untroubled.settle();
    for (let writes = 0; writes < untroubled.writes; writes++) {
      const killed = new Installation();
      killed.writesLeft = writes;
      await rejection(killed.settle());
      killed.writesLeft = Infinity;
      await killed.settle();
      requireTrusted(killed);
      await jwtVerify(await sign(killed), createLocalJWKSet(keySet(killed)), { currentDate: new Date(killed.time) });
    }
  }).timeout(60_000);

  const damages: readonly (readonly [string, Secret | undefined])[] = [
    ['deleted', undefined],
    ['emptied', { type: 'Opaque', data: {} }],
    ['of another type', { type: 'example.org/other', data: { 'tls.crt': 'AAAA' } }],
    ['with another key', { type: 'kubernetes.io/tls', data: { 'tls.crt': 'AAAA', 'tls.key': 'AAAA' } }],
    ['immutable', { type: 'Opaque', immutable: true, data: {} }],
  ];
  for (const [name, damage] of damages) {
    it(`are made anew where a Secret was ${name}`, async () => {
      const damaged = [
        ...Object.values(signers),
        ...issued.map(({ secret }) => secret),
        TOKEN_SIGNING_SECRET,
        TOKEN_VERIFICATION_SECRET,
      ];
      for (const secret of damaged) {
        const key = { namespace: 'cdi', name: secret };
        installation.api.delete('cluster', secrets, key);
        if (damage) installation.api.create('cluster', secrets, { ...structuredClone(damage), metadata: key });
        await installation.settle();
        requireTrusted(installation);
        await jwtVerify(await sign(installation), createLocalJWKSet(keySet(installation)));
      }
    });
  }
});

describe('the keys of upload tokens', () => {
  it('are named by their thumbprints', async () => {
    const installation = new Installation();
    await installation.settle();
    const { keys } = keySet(installation);
    expect(keys).to.have.lengthOf(1);
    for (const { kid, kty, crv, x, y } of keys) expect(kid).to.equal(await calculateJwkThumbprint({ kty, crv, x, y }));
  });

  it('are accepted before anything is signed with them, and until the one after the next comes', async () => {
    const installation = new Installation();
    const used: string[] = [];
    await installation.pass(5 * 24 * HOUR, async () => {
      const accepted = keySet(installation).keys.map(({ kid }) => kid);
      const { kid } = await verificationKeyOf(installation.text(TOKEN_SIGNING_SECRET, TOKEN_SIGNING_KEY));
      expect(accepted.length).to.be.at.most(2);
      expect(accepted).to.include(kid);
      if (used.at(-1) === kid) return;
      // Tokens of the key before are still under way.
      expect(accepted).to.include.members(used.slice(-1));
      used.push(kid);
    });
    expect(used.length).to.be.within(9, 11);
    expect(new Set(used).size).to.equal(used.length);
  }).timeout(60_000);
});
