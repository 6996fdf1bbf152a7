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
import { readyUpload } from './support/ready-upload.ts';
import { useSuite } from './support/suite.ts';
import { useUploadClients } from './support/upload-clients.ts';
import { containerOf, expectUploadedDisk, uploadProxies, uploadServerOf } from './support/uploaded-disk.ts';

const MEBIBYTE = 2 ** 20;
const PATIENCE_MILLISECONDS = 120_000;
/** How long the network is away where nobody can be asked whether it was noticed. */
const OUTAGE_MILLISECONDS = 12_000;

describe('an upload while something is away', function () {
  this.timeout(240_000);
  const suite = useSuite();
  const clients = useUploadClients(suite);
  const image = () => join(suite.disk.folder, diskFile.raw);
  const options = () => ['--storage-class', suite.classes.standard, '--size', '200Mi'];
  const uploads: Record<'virtctl' | 'diskpress', (target: string) => Promise<void>> = {
    virtctl: async (target) => {
      await clients.virtctl('dv', target, `--image-path=${image()}`, ...options());
    },
    diskpress: async (target) => {
      const { code, stderr } = await clients.diskpress(image(), `dv/${target}`, ...options()).ended;
      expect(code, stderr).to.equal(0);
    },
  };

  for (const [name, upload] of Object.entries(uploads)) {
    it(`goes on when the network of the upload server comes back, by ${name}`, async () => {
      const target = `server-away-${name}`;
      const { held, release } = clients.port.holdAfter(70 * MEBIBYTE);
      const uploading = upload(target);
      await Promise.race([held, uploading]);
      const bringBack = await cutNetwork(containerOf(await uploadServerOf(suite, target)));
      const { connections } = clients.port;
      release();
      // The proxy has given up the connection to the server when the client comes again.
      const again = eventually('the client comes again', () => clients.port.connections > connections, 60_000);
      await again.finally(bringBack);
      await uploading;
      await expectUploadedDisk(suite, target);
    });

    it(`goes on when the network of the proxies comes back, by ${name}`, async () => {
      const target = `proxies-away-${name}`;
      const { held, release } = clients.port.holdAfter(70 * MEBIBYTE);
      const uploading = upload(target);
      await Promise.race([held, uploading]);
      const bringBack = await Promise.all((await uploadProxies(suite)).map((pod) => cutNetwork(containerOf(pod))));
      release();
      await sleep(OUTAGE_MILLISECONDS).finally(() => Promise.all(bringBack.map((each) => each())));
      await uploading;
      await expectUploadedDisk(suite, target);
    });

    it(`goes on when the upload server is evicted, by ${name}`, async () => {
      const target = `evicted-${name}`;
      const { held, release } = clients.port.holdAfter(70 * MEBIBYTE);
      const uploading = upload(target);
      await Promise.race([held, uploading]);
      await evict(await uploadServerOf(suite, target));
      release();
      await uploading;
      await expectUploadedDisk(suite, target);
    });
  }

  it('comes to its end in proxies that are evicted meanwhile', async () => {
    const { held, release } = clients.port.holdAfter(70 * MEBIBYTE);
    const uploading = uploads.virtctl('proxies-evicted');
    await Promise.race([held, uploading]);
    const { sent } = clients.port;
    // One at a time, as a drain does it.
    for (const proxy of await uploadProxies(suite)) {
      await eventually(`${proxy.metadata?.name} may be evicted`, () => evict(proxy), PATIENCE_MILLISECONDS);
    }
    release();
    await uploading;
    expect(clients.port.sent - sent).to.be.below((await stat(image())).size - 60 * MEBIBYTE);
    await expectUploadedDisk(suite, 'proxies-evicted');
  });

  it('comes to its end when its token has expired meanwhile', async () => {
    const { key } = await readyUpload(suite, clients, 'expiring');
    const token = await shortToken(key);
    const authorization = ['--header', `Authorization: Bearer ${token}`];
    const { held, release } = clients.port.holdAfter(70 * MEBIBYTE);
    const uploading = clients.curl('/v1beta1/upload', ...authorization, '--upload-file', image());
    await Promise.race([held, uploading]);
    const hasExpired = async () => (await clients.curl('/v1beta1/upload', '--head', ...authorization)).status === 401;
    await eventually('the token has expired', hasExpired, 60_000);
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
