import { createHash, createPrivateKey, generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { calculateJwkThumbprint, exportJWK, type JWTPayload, SignJWT } from 'jose';
import { dataVolumes } from '../../src/api/data-volume.ts';
import { persistentVolumeClaims, secrets } from '../../src/kube/builtin-resources.ts';
import type { ObjectKey } from '../../src/kube/key.ts';
import {
  TOKEN_ALGORITHM,
  TOKEN_ISSUER,
  TOKEN_SIGNING_KEY,
  TOKEN_SIGNING_SECRET,
} from '../../src/protocol/installation.ts';
import { SHA256_HEADER } from '../../src/server/upload-protocol.ts';
import type { CommandFailed } from '../cluster/commands.ts';
import { conditionOf, dataVolume, untilSucceeded } from '../support/data-volumes.ts';
import { diskFile } from '../support/disk-images.ts';
import { productNamespace } from '../support/environment.ts';
import { rejection } from '../support/rejection.ts';
import { until } from '../support/until.ts';
import { readVolume } from '../support/volume-content.ts';
import { readyUpload } from './support/ready-upload.ts';
import { useSuite } from './support/suite.ts';
import { useUploadClients } from './support/upload-clients.ts';

const MEBIBYTE = 2 ** 20;

describe('requests to upload', function () {
  this.timeout(120_000);
  const suite = useSuite();
  const clients = useUploadClients(suite);
  const image = (name: string) => join(suite.disk.folder, name);
  const bearer = (token: string) => `Authorization: Bearer ${token}`;
  /** Sends a file as the body. */
  const send = (token: string, file: string, ...more: string[]) =>
    clients.curl('/v1beta1/upload', '-H', bearer(token), '--data-binary', `@${file}`, ...more);

  const ready = (name: string) => readyUpload(suite, clients, name);
  const untilFailed = (key: ObjectKey) =>
    until(suite.client, dataVolumes, key, 'it has failed', (found) =>
      found?.status?.phase === 'Failed' ? found : undefined,
    );
  async function claimsFor(key: ObjectKey): Promise<JWTPayload> {
    const uid = (await suite.client.get(persistentVolumeClaims, key))?.metadata?.uid;
    const resource = { group: '', version: 'v1', resource: 'persistentvolumeclaims' };
    return { operation: 'Upload', ...key, uid, resource };
  }
  async function sign(payload: JWTPayload, privateKey: KeyObject, expires: Date): Promise<string> {
    const { kty, crv, x, y } = await exportJWK(privateKey);
    const kid = await calculateJwkThumbprint({ kty, crv, x, y });
    const token = new SignJWT(payload).setProtectedHeader({ alg: TOKEN_ALGORITHM, kid });
    return token.setIssuer(TOKEN_ISSUER).setIssuedAt().setExpirationTime(expires).sign(privateKey);
  }
  async function installationKey(): Promise<KeyObject> {
    const secret = await suite.client.get(secrets, { namespace: productNamespace, name: TOKEN_SIGNING_SECRET });
    const pem = Buffer.from(secret?.data?.[TOKEN_SIGNING_KEY] ?? '', 'base64').toString();
    return createPrivateKey(pem);
  }
  const inMinutes = (minutes: number) => new Date(Date.now() + minutes * 60_000);

  it('are refused without a token, with one that has expired, and with one that others signed', async () => {
    const { key } = await ready('tokens');
    const without = await clients.curl('/v1beta1/upload', '--data-binary', 'x');
    expect(without).to.deep.include({ status: 401 });
    expect(without.body).to.match(/no upload token/);
    const payload = await claimsFor(key);
    const expired = await send(await sign(payload, await installationKey(), inMinutes(-1)), image(diskFile.qcow2));
    expect(expired.status, expired.body).to.equal(401);
    expect(expired.body).to.match(/has expired/);
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const forged = await send(await sign(payload, privateKey, inMinutes(5)), image(diskFile.qcow2));
    expect(forged.status, forged.body).to.equal(401);
    const clone = { ...payload, operation: 'Clone' };
    const other = await send(await sign(clone, await installationKey(), inMinutes(5)), image(diskFile.qcow2));
    expect(other.status, other.body).to.equal(400);
  });

  it('are refused for a claim that is another one now, that is gone, or takes no upload', async () => {
    const { key } = await ready('claims');
    const payload = await claimsFor(key);
    const signingKey = await installationKey();
    const answers = await Promise.all(
      [
        { ...payload, uid: randomUUID() },
        { ...payload, name: 'nothing' },
      ].map(async (changed) => send(await sign(changed, signingKey, inMinutes(5)), image(diskFile.qcow2))),
    );
    expect(answers.map(({ status }) => status)).to.deep.equal([403, 404]);
    const blank = suite.key('blank');
    await suite.client.create(
      dataVolumes,
      dataVolume(blank, { blank: {} }, { storageClassName: suite.classes.standard }),
    );
    await untilSucceeded(suite.client, blank);
    const failure = (await rejection(clients.token(blank))) as Error;
    expect(failure.message).to.match(/blank/);
    const takesNone = await send(await sign(await claimsFor(blank), signingKey, inMinutes(5)), image(diskFile.qcow2));
    expect(takesNone.status, takesNone.body).to.equal(400);
  });

  it('may be a form, and are refused once the disk is in place', async () => {
    const { key, token } = await ready('form');
    const form = await clients.curl(
      '/v1beta1/upload-form',
      ...['-H', bearer(token), '-F', 'comment=golden', '-F', `file=@${image(diskFile.qcow2Compressed)}`],
    );
    expect(form.status, form.body).to.equal(200);
    await untilSucceeded(suite.client, key);
    expect((await readVolume(suite, key, suite.disk.virtualSize)).sha256).to.equal(suite.disk.sha256);
    const again = await send(token, image(diskFile.qcow2));
    expect(again.status, again.body).to.equal(409);
    expect(again.body).to.match(/already has its upload/);
  });

  it('may say the checksum of their body, and are refused where it is another one', async () => {
    const file = image(diskFile.qcow2);
    const sha256 = createHash('sha256')
      .update(await readFile(file))
      .digest('hex');
    const wrong = await ready('wrong-checksum');
    const refused = await send(wrong.token, file, '-H', `${SHA256_HEADER}: ${'0'.repeat(64)}`);
    expect(refused.status, refused.body).to.equal(400);
    expect(refused.body).to.include(sha256);
    const failed = await untilFailed(wrong.key);
    expect(conditionOf(failed, 'Running')?.reason).to.equal('ChecksumMismatch');
    const right = await ready('right-checksum');
    const accepted = await send(right.token, file, '-H', `${SHA256_HEADER}: ${sha256}`);
    expect(accepted.status, accepted.body).to.equal(200);
    await untilSucceeded(suite.client, right.key);
  });

  it('are refused while the image is being sent where it is none, or too large', async () => {
    const page = await ready('page');
    const refused = await send(page.token, image(diskFile.page));
    expect(refused.status, refused.body).to.equal(400);
    expect(conditionOf(await untilFailed(page.key), 'Running')?.reason).to.equal('NotAnImage');
    const large = await ready('large');
    const failure = (await rejection(
      clients.virtctl('dv', large.key.name, '--no-create', `--image-path=${image(diskFile.large)}`),
    )) as CommandFailed;
    expect(failure.message).to.match(/100 GiB/);
    expect(conditionOf(await untilFailed(large.key), 'Running')?.reason).to.equal('ImageTooLarge');
  });

  it('are refused while another one is being received', async () => {
    const { key, token } = await ready('busy');
    const first = send(token, image(diskFile.qcow2));
    const { held, release } = clients.port.holdAfter(MEBIBYTE, { trickles: true });
    await held;
    const second = await send(token, image(diskFile.qcow2));
    release();
    expect(second.status, second.body).to.equal(503);
    expect(second.body).to.match(/another upload/);
    expect((await first).status).to.equal(200);
    await untilSucceeded(suite.client, key);
  });

  it('need the right to make tokens, which the role edit contains', async () => {
    const { key } = await ready('rights');
    const user = `user-${randomUUID()}`;
    const request = JSON.stringify({
      apiVersion: 'upload.cdi.kubevirt.io/v1beta1',
      kind: 'UploadTokenRequest',
      metadata: { ...key },
      spec: { pvcName: key.name },
    });
    const denied = (await rejection(suite.kubectl.create(request, { user }))) as CommandFailed;
    expect(denied.message).to.match(/[Ff]orbidden/);
    await suite.kubectl.run('create', 'rolebinding', user, '--clusterrole=edit', `--user=${user}`, '-n', key.namespace);
    const given = await suite.kubectl.create(request, { user, output: 'jsonpath={.status.token}' });
    expect(given).to.match(/^[\w-]+\.[\w-]+\.[\w-]+$/);
    const elsewhere = JSON.stringify({ ...JSON.parse(request), metadata: { name: key.name, namespace: 'default' } });
    const refused = (await rejection(suite.kubectl.create(elsewhere, { user }))) as CommandFailed;
    expect(refused.message).to.match(/[Ff]orbidden/);
  });

  it('leave no token and no key in any log or event', async () => {
    const secretsOf = /eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{10,}|PRIVATE KEY/;
    const { kubectl, namespace } = suite;
    const events = await kubectl.run('get', 'events,datavolumes,persistentvolumeclaims', '-n', namespace, '-o', 'json');
    // The pods of uploads that have failed are kept.
    const logs = await Promise.all(
      [productNamespace, namespace].map(async (each) => {
        const pods = await kubectl.run('get', 'pods', '-n', each, '-o', 'name');
        const names = pods.split('\n').filter((name) => name !== '');
        expect(names, each).not.to.deep.equal([]);
        return Promise.all(names.map((name) => kubectl.run('logs', name, '-n', each, '--tail=-1')));
      }),
    );
    const texts = [events, ...logs.flat()];
    expect(texts.join('\n')).to.match(/ answered\b/);
    for (const text of texts) expect(secretsOf.exec(text)?.[0]).to.be.undefined;
  });
});
