import { createPrivateKey } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { SignJWT } from 'jose';
import { persistentVolumeClaims, type Pod, pods, secrets } from '../../src/kube/builtin-resources.ts';
import { keyOf, type ObjectKey } from '../../src/kube/key.ts';
import { resourcePath } from '../../src/kube/resource.ts';
import { secretText } from '../../src/kube/secret-text.ts';
import {
  TOKEN_ALGORITHM,
  TOKEN_ISSUER,
  TOKEN_SIGNING_KEY,
  TOKEN_SIGNING_SECRET,
} from '../../src/protocol/installation.ts';
import type { UploadTokenClaims } from '../../src/protocol/upload-token.ts';
import { verificationKeyOf } from '../../src/server/signing-key.ts';
import { cutNetwork } from '../cluster/index.ts';
import { diskFile } from '../support/disk-images.ts';
import { productNamespace } from '../support/environment.ts';
import { eventually } from '../support/eventually.ts';
import { MIDDLE, uploadByBoth, uploadsOf } from './support/both-clients.ts';
import { readyUpload } from './support/ready-upload.ts';
import { useSuite } from './support/suite.ts';
import { useUploadClients } from './support/upload-clients.ts';
import { containerOf, expectUploadedDisk, uploadProxies } from './support/uploaded-disk.ts';

const MEBIBYTE = 2 ** 20;
const PATIENCE_MILLISECONDS = 120_000;
/** How long the network is away where nobody can be asked whether it was noticed. */
const OUTAGE_MILLISECONDS = 12_000;

describe('an upload while something is away', function () {
  this.timeout(240_000);
  const suite = useSuite();
  const clients = useUploadClients(suite);
  const image = () => join(suite.disk.folder, diskFile.raw);
  const cutAll = async (found: readonly Pod[]) => {
    const cuts = await Promise.all(found.map((pod) => cutNetwork(containerOf(pod))));
    return () => Promise.all(cuts.map((bringBack) => bringBack()));
  };

  it('goes on when the network of the upload servers comes back, by virtctl and by diskpress', async () => {
    const { servers, release, closed, end } = await uploadByBoth(suite, clients, 'server-away');
    const bringBack = await cutAll(servers);
    release();
    let isGivenUp = false;
    void closed.then(() => (isGivenUp = true));
    // The proxy gives up its connections to the servers, and then those to the clients, which come again.
    await eventually('the proxy has given up', () => isGivenUp, 60_000).finally(bringBack);
    await end();
  });

  it('goes on when the network of the proxies comes back, by virtctl and by diskpress', async () => {
    const { release, end } = await uploadByBoth(suite, clients, 'proxies-away');
    const bringBack = await cutAll(await uploadProxies(suite));
    release();
    await sleep(OUTAGE_MILLISECONDS).finally(bringBack);
    await end();
  });

  it('goes on when the upload servers are evicted, by virtctl and by diskpress', async () => {
    const { servers, release, end } = await uploadByBoth(suite, clients, 'evicted');
    for (const server of servers) await evict(server);
    release();
    await end();
  });

  it('comes to its end in proxies that are evicted meanwhile', async function () {
    // The patience with the eviction of each, and with the upload.
    this.timeout(3 * PATIENCE_MILLISECONDS);
    // For as long as it takes to replace the proxies, in which nobody is to give it up.
    const { held, release } = clients.port.holdAfter(MIDDLE, { trickles: true });
    let isOver = false;
    const uploading = uploadsOf(suite, clients)
      .virtctl('proxies-evicted')
      .finally(() => (isOver = true));
    await Promise.race([held, uploading]);
    const { sent } = clients.port;
    // One at a time, as a drain does it.
    for (const proxy of await uploadProxies(suite)) {
      await eventually(`${proxy.metadata?.name} may be evicted`, () => evict(proxy), PATIENCE_MILLISECONDS);
    }
    expect(isOver).to.be.false;
    release();
    await uploading;
    expect(clients.port.sent - sent).to.be.below((await stat(image())).size - 60 * MEBIBYTE);
    await expectUploadedDisk(suite, 'proxies-evicted');
  });

  it('comes to its end when its token has expired meanwhile', async () => {
    const { key } = await readyUpload(suite, clients, 'expiring');
    const token = await shortToken(key);
    const authorization = ['--header', `Authorization: Bearer ${token}`];
    const { held, release } = clients.port.holdAfter(MIDDLE);
    const uploading = clients.curl('/v1beta1/upload', ...authorization, '--upload-file', image());
    await Promise.race([held, uploading]);
    const hasExpired = async () => (await clients.curl('/v1beta1/upload', '--head', ...authorization)).status === 401;
    await eventually('the token has expired', hasExpired, 60_000, 300);
    release();
    const { status, body } = await uploading;
    expect(status, body).to.equal(200);
    await expectUploadedDisk(suite, 'expiring');
  });

  async function evict(pod: Pod): Promise<true> {
    const { namespace, name } = keyOf(pod);
    const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { namespace, name } };
    const raw = resourcePath(pods, { namespace, name, subresource: 'eviction' });
    await suite.kubectl.create(JSON.stringify(eviction), { raw });
    return true;
  }

  /** Signs a token as the installation does, which is valid for a few seconds. */
  async function shortToken({ namespace, name }: ObjectKey): Promise<string> {
    const claim = await suite.client.get(persistentVolumeClaims, { namespace, name });
    const secret = await suite.client.get(secrets, { namespace: productNamespace, name: TOKEN_SIGNING_SECRET });
    const key = secretText(secret, TOKEN_SIGNING_KEY) ?? '';
    const { kid } = await verificationKeyOf(key);
    const claims: UploadTokenClaims = {
      operation: 'Upload',
      ...{ namespace, name, uid: claim?.metadata?.uid ?? '' },
      resource: { group: '', version: 'v1', resource: 'persistentvolumeclaims' },
    };
    return new SignJWT({ ...claims })
      .setProtectedHeader({ alg: TOKEN_ALGORITHM, kid })
      .setIssuer(TOKEN_ISSUER)
      .setIssuedAt()
      .setExpirationTime('10s')
      .sign(createPrivateKey(key));
  }
});
