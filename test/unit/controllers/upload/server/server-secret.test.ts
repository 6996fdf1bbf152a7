import { X509Certificate } from 'node:crypto';
import { expect } from 'chai';
import type { CDISpec } from '../../../../../src/api/cdi.ts';
import { lifetimesOf } from '../../../../../src/controllers/runtime/lifetimes.ts';
import { ServerSecrets } from '../../../../../src/controllers/upload/server/server-secret.ts';
import type { ConfigMap, PersistentVolumeClaim, Secret } from '../../../../../src/kube/builtin-resources.ts';
import { ApiError } from '../../../../../src/kube/errors.ts';
import type { KubeObject } from '../../../../../src/kube/resource.ts';
import { type CertifiedKey, createAuthority } from '../../../../../src/server/certificates.ts';
import { rejection } from '../../../../support/rejection.ts';

const HOUR = 3_600_000;
const START = Date.now();

const claim: PersistentVolumeClaim = {
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { namespace: 'team', name: 'disk', uid: 'of-disk' },
};

const encoded = ({ certificate, key }: CertifiedKey): Secret => ({
  data: { 'tls.crt': Buffer.from(certificate).toString('base64'), 'tls.key': Buffer.from(key).toString('base64') },
});
const bundle = (text: string): ConfigMap => ({ data: { 'ca-bundle.crt': text } });

describe('the Secret of an upload server', () => {
  let authority: CertifiedKey;
  before(async () => {
    authority = await createAuthority('of upload servers', { lifetime: 48 * HOUR });
  });

  /** A namespace in which Secrets are made, and the certificates of the installation. */
  function installation() {
    const state = {
      now: START,
      authorities: [encoded(authority)],
      bundles: [bundle('clients')],
      isFull: false,
      certConfig: undefined as CDISpec['certConfig'],
    };
    const made: Secret[] = [];
    let present: Secret | undefined;
    const client = {
      create: async (_: unknown, secret: Secret) => {
        if (present) throw new ApiError({ code: 409, reason: 'AlreadyExists', message: 'there already' });
        if (state.isFull) throw new ApiError({ code: 403, reason: 'Forbidden', message: 'exceeded quota' });
        made.push(secret);
        present = secret;
        return secret;
      },
      delete: async (_: unknown, key: KubeObject['metadata']) => {
        expect(key).to.include({ namespace: 'team', name: 'cdi-transfer-of-disk' });
        present = undefined;
      },
    };
    const secrets = new ServerSecrets(
      {
        client: client as never,
        now: () => state.now,
        config: {
          get certificateLifetimes() {
            return lifetimesOf(state.certConfig);
          },
        },
      },
      {
        authority: { list: () => state.authorities },
        clients: { list: () => state.bundles },
      },
    );
    return { state, made, secrets, isPresent: () => present !== undefined };
  }

  it('has a certificate for the Service, and those by which clients are known', async () => {
    const { made, secrets } = installation();
    await secrets.provide(claim);
    const [secret] = made;
    const certificate = new X509Certificate(secret?.stringData?.['tls.crt'] ?? '');
    expect(certificate.checkHost('cdi-upload-disk.team.svc')).to.equal('cdi-upload-disk.team.svc');
    expect(certificate.verify(new X509Certificate(authority.certificate).publicKey)).to.equal(true);
    expect(secret?.stringData?.['ca.crt']).to.equal('clients');
    expect(secret?.metadata?.annotations).to.include({ 'cdi.kubevirt.io/work.targetUID': 'of-disk' });
  });

  it('is waited for until the installation has certificates, and not renewed without them', async () => {
    for (const lacking of [{ authorities: [] }, { bundles: [] }, { bundles: [bundle('')] }]) {
      const { state, made, secrets } = installation();
      Object.assign(state, lacking);
      expect(await rejection(secrets.provide(claim))).to.include({ reason: 'CertificatesNotReady' });
      await secrets.renew(claim);
      expect(made).to.be.empty;
    }
  });

  it('is replaced before half of its lifetime is left, and not earlier', async () => {
    const { state, made, secrets } = installation();
    await secrets.provide(claim);
    state.now = START + 11 * HOUR;
    await secrets.renew(claim);
    expect(made).to.have.length(1);
    state.now = START + 12 * HOUR;
    await secrets.renew(claim);
    expect(made).to.have.length(2);
    await secrets.renew(claim);
    expect(made).to.have.length(2);
  });

  const lifetimeOf = (secret: Secret | undefined) =>
    Date.parse(new X509Certificate(secret?.stringData?.['tls.crt'] ?? '').validTo) - START;

  it('is valid for as long, and replaced as early, as certConfig.server says', async () => {
    const { state, made, secrets } = installation();
    state.certConfig = { server: { duration: '8h', renewBefore: '2h' } };
    await secrets.provide(claim);
    expect(lifetimeOf(made[0])).to.be.within(8 * HOUR - 1000, 8 * HOUR);
    state.now = START + 5.9 * HOUR;
    await secrets.renew(claim);
    expect(made).to.have.length(1);
    state.now = START + 6 * HOUR;
    await secrets.renew(claim);
    expect(made).to.have.length(2);
    state.certConfig = { server: { duration: '1h' } };
    state.now = START + 6.6 * HOUR;
    await secrets.renew(claim);
    expect(made, 'what was made for longer').to.have.length(3);
  });

  it('lasts until a kubelet has brought the next one, however short certConfig.server is', async () => {
    const { state, made, secrets } = installation();
    state.certConfig = { server: { duration: '1m' } };
    await secrets.provide(claim);
    expect(lifetimeOf(made[0])).to.be.within(HOUR / 6 - 1000, HOUR / 6);
    state.now = START + HOUR / 15;
    await secrets.renew(claim);
    expect(made).to.have.length(1);
    state.now = START + HOUR / 12;
    await secrets.renew(claim);
    expect(made).to.have.length(2);
  });

  it('is replaced earlier where the authority ends earlier', async () => {
    const { state, made, secrets } = installation();
    state.authorities = [encoded(await createAuthority('short-lived', { lifetime: 2 * HOUR }))];
    await secrets.provide(claim);
    state.now = START + 1.1 * HOUR;
    await secrets.renew(claim);
    expect(made).to.have.length(2);
  });

  it('is replaced when an authority is', async () => {
    const { state, made, secrets } = installation();
    await secrets.provide(claim);
    state.bundles = [bundle('clients, and others')];
    await secrets.renew(claim);
    expect(made[1]?.stringData?.['ca.crt']).to.equal('clients, and others');
    state.authorities = [encoded(await createAuthority('another', { lifetime: HOUR }))];
    await secrets.renew(claim);
    expect(made).to.have.length(3);
  });

  it('is made anew by controllers that have not made it, and after a replacement that has failed in between', async () => {
    const { state, made, secrets, isPresent } = installation();
    await secrets.provide(claim);
    state.now += 12 * HOUR;
    state.isFull = true;
    await rejection(secrets.renew(claim));
    expect(isPresent()).to.equal(false);
    state.isFull = false;
    await secrets.renew(claim);
    expect([made.length, isPresent()]).to.deep.equal([2, true]);
    await secrets.remove(claim);
    expect(isPresent()).to.equal(false);
    await secrets.renew(claim);
    expect(made).to.have.length(3);
  });

  it('is made for each pod, as the one of an earlier pod may have been deleted', async () => {
    const { made, secrets } = installation();
    await secrets.provide(claim);
    await secrets.provide(claim);
    expect(made).to.have.length(2);
  });
});
