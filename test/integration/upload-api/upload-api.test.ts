import { once } from 'node:events';
import { request } from 'node:https';
import { connect } from 'node:tls';
import { expect } from 'chai';
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { persistentVolumeClaims, secrets } from '../../../src/kube/builtin-resources.ts';
import { toError } from '../../../src/kube/errors.ts';
import { secretText } from '../../../src/kube/secret-text.ts';
import {
  TOKEN_ISSUER,
  TOKEN_VERIFICATION_KEY,
  TOKEN_VERIFICATION_SECRET,
  UPLOAD_API_SERVICE,
} from '../../../src/protocol/installation.ts';
import { uploadTokenClaims } from '../../../src/protocol/upload-token.ts';
import { Authority, type KeyPair } from '../../cluster/pki.ts';
import { kubernetesIsBuilt } from '../../support/api-server.ts';
import { eventually } from '../../support/eventually.ts';
import { rejection } from '../../support/rejection.ts';
import { Rig, TEAM } from './rig.ts';

const TARGET = 'cdi.kubevirt.io/storage.upload.target';
/** May upload, by the role for those who edit. */
const EDITOR = 'editor';
/** May look, and not upload. */
const VIEWER = 'viewer';
/** Between two looks at what changes within a minute. */
const LOOK_MILLISECONDS = 300;

const tokenPath = `/apis/upload.cdi.kubevirt.io/v1beta1/namespaces/${TEAM}/uploadtokenrequests`;
const tokenRequest = (pvcName: string, more: object = {}) => ({
  apiVersion: 'upload.cdi.kubevirt.io/v1beta1',
  kind: 'UploadTokenRequest',
  metadata: { name: 'token', namespace: TEAM },
  spec: { pvcName },
  ...more,
});

describe('the upload API behind a real API server', function () {
  this.timeout(120_000);
  let rig: Rig;

  before(kubernetesIsBuilt);
  before(async () => {
    rig = await Rig.start();
    await rig.startApi();
    await rig.isAvailable();
    const bind = ['-n', TEAM, 'create', 'rolebinding'];
    await rig.kubectl.run(
      ...bind,
      'editors',
      '--clusterrole=cdi.kubevirt.io:edit',
      '--user',
      EDITOR,
      '--group=editors',
    );
    await rig.kubectl.run(...bind, 'viewers', '--clusterrole=cdi.kubevirt.io:view', '--user', VIEWER);
    await rig.client.create(persistentVolumeClaims, claim('target'));
  });
  after(async () => rig?.stop());

  const claim = (name: string, annotations: Record<string, string> = { [TARGET]: '' }, spec: object = {}) => ({
    metadata: { namespace: TEAM, name, annotations },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec },
  });

  async function token(pvcName: string, user: string): Promise<string> {
    const answer = await rig.kubectl.create(JSON.stringify(tokenRequest(pvcName)), { user, raw: tokenPath });
    return (JSON.parse(answer) as { status: { token: string } }).status.token;
  }

  const refusal = async (attempt: Promise<unknown>) => toError(await rejection(attempt)).message;

  it('is discovered by kubectl, short names included', async () => {
    const listed = await rig.kubectl.run('api-resources', '--api-group=upload.cdi.kubevirt.io');
    expect(listed).to.match(/uploadtokenrequests +utr,utrs +upload.cdi.kubevirt.io\/v1beta1 +true +UploadTokenRequest/);
  });

  it('gives a token for a claim, bound to its uid, that the published keys accept', async () => {
    const found = await rig.client.get(persistentVolumeClaims, { namespace: TEAM, name: 'target' });
    const secret = await rig.client.get(secrets, { namespace: 'cdi', name: TOKEN_VERIFICATION_SECRET });
    const keys = JSON.parse(secretText(secret, TOKEN_VERIFICATION_KEY) ?? '') as JSONWebKeySet;
    const { payload } = await jwtVerify(await token('target', EDITOR), createLocalJWKSet(keys), {
      issuer: TOKEN_ISSUER,
      algorithms: ['ES256'],
    });
    expect(uploadTokenClaims.parse(payload)).to.include({ name: 'target', namespace: TEAM, uid: found?.metadata?.uid });
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).to.equal(300);
  });

  it('takes what kubectl creates, and says what was created', async () => {
    const answer = await rig.kubectl.create(JSON.stringify(tokenRequest('target')), { user: EDITOR });
    expect(answer).to.include('uploadtokenrequest.upload.cdi.kubevirt.io/token created');
  });

  it('takes what virtctl sends: no type, a name to generate, an empty status', async () => {
    const sent = { metadata: { generateName: 'token-for-virtctl-' }, spec: { pvcName: 'target' }, status: {} };
    const answer = JSON.parse(
      await rig.kubectl.create(JSON.stringify(sent), { user: EDITOR, raw: tokenPath }),
    ) as ReturnType<typeof tokenRequest> & { status: { token?: string } };
    expect(answer.metadata.name).to.match(/^token-for-virtctl-\w+$/);
    expect(answer.status.token).to.be.a('string');
  });

  it('signs nothing that is only tried', async () => {
    const text = JSON.stringify(tokenRequest('target'));
    const answer = await rig.kubectl.create(text, { user: EDITOR, raw: `${tokenPath}?dryRun=All` });
    expect((JSON.parse(answer) as { status: object }).status).to.deep.equal({});
  });

  it('asks whether the user may, who is the one that is impersonated', async () => {
    const message = await refusal(token('target', VIEWER));
    expect(message).to.include(`User "${VIEWER}" cannot create resource "uploadtokenrequests"`);
    expect(await refusal(token('target', 'stranger'))).to.include('forbidden');
  });

  it('knows all groups of a user', async () => {
    const groups = ['--as-group', 'a,b', '--as-group', 'editors'];
    const file = await rig.file('request.json', JSON.stringify(tokenRequest('target')));
    await rig.kubectl.run('create', '-f', file, '--as', 'somebody', ...groups);
    expect(await refusal(rig.kubectl.run('create', '-f', file, '--as', 'somebody'))).to.include('forbidden');
    const joined = ['--as-group', 'a,editors'];
    expect(await refusal(rig.kubectl.run('create', '-f', file, '--as', 'somebody', ...joined))).to.include('forbidden');
  });

  describe('refuses', () => {
    const cases: Record<string, [more: object | undefined, name: string, says: string]> = {
      'a claim that does not exist': [undefined, 'missing', '"missing" not found'],
      'a claim that takes no upload': [claim('ordinary', {}), 'ordinary', 'takes no upload'],
      'a claim that has its upload already': [
        claim('done', { [TARGET]: '', 'cdi.kubevirt.io/storage.pod.phase': 'Succeeded' }),
        'done',
        'has its upload already',
      ],
    };
    for (const [what, [made, name, says]] of Object.entries(cases)) {
      it(what, async () => {
        if (made) await rig.client.create(persistentVolumeClaims, made);
        expect(await refusal(token(name, EDITOR))).to.include(says);
      });
    }

    it('what is no such request', async () => {
      const create = (object: object, query = '') =>
        refusal(rig.kubectl.create(JSON.stringify(object), { user: EDITOR, raw: `${tokenPath}${query}` }));
      expect(await create({ ...tokenRequest('target'), spec: {} })).to.include('spec.pvcName');
      expect(await create({ ...tokenRequest('target'), metadata: { namespace: 'other' } })).to.include('namespace');
      const unknown = { ...tokenRequest('target'), surprise: 1 };
      expect(await create(unknown, '?fieldValidation=Strict')).to.include('surprise');
      await rig.kubectl.create(JSON.stringify(unknown), { user: EDITOR, raw: tokenPath });
      expect(await create({ padding: 'x'.repeat(70_000) })).to.include('larger than');
    });

    it('names that no claim can have', async () => {
      for (const name of ['.', '..', '../target', 'target/status', '%2e%2e', '']) {
        expect(await refusal(token(name, EDITOR)), name).to.include('spec.pvcName');
      }
    });

    it('everything but to create', async () => {
      expect(await refusal(rig.kubectl.run('get', '--raw', tokenPath))).to.include('MethodNotAllowed');
    });

    it('whoever is not the API server, whatever the headers say', async () => {
      const other = await (await Authority.create('another')).issue({ commonName: 'front-proxy' });
      const sameAuthority = await rig.frontProxy.issue({ commonName: 'somebody' });
      const genuine = await rig.frontProxy.issue({ commonName: 'front-proxy' });
      expect(await statusOf(undefined)).to.equal(401);
      expect(await statusOf(other)).to.equal(401);
      expect(await statusOf(sameAuthority)).to.equal(401);
      expect(await statusOf(genuine)).to.equal(404);
    });

    it('to resume a session, which would not show who began it', async () => {
      const issued: Buffer[] = [];
      const reuses: boolean[] = [];
      for (let round = 0; round < 2; round++) {
        const socket = connect({
          port: rig.port,
          host: '127.0.0.1',
          rejectUnauthorized: false,
          session: issued.at(-1),
        });
        socket.on('session', (session: Buffer) => issued.push(session));
        socket.end('GET /apis HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n').resume();
        await once(socket, 'secureConnect');
        reuses.push(socket.isSessionReused());
        await once(socket, 'close');
      }
      expect(reuses).to.deep.equal([false, false]);
    });

    async function statusOf(client: KeyPair | undefined): Promise<number> {
      const sent = request({
        host: '127.0.0.1',
        port: rig.port,
        path: tokenPath,
        method: 'POST',
        rejectUnauthorized: false,
        agent: false,
        headers: { 'x-remote-user': 'admin', 'x-remote-group': 'system:masters', 'content-type': 'application/json' },
        ...(client && { cert: client.certificate, key: client.key }),
      });
      sent.end(JSON.stringify(tokenRequest('missing')));
      const [response] = (await once(sent, 'response')) as [{ statusCode: number; resume: () => void }];
      response.resume();
      return response.statusCode;
    }
  });

  it('does not fail one call while every certificate and key is replaced', async () => {
    const secret = async (name: string) => rig.client.get(secrets, { namespace: 'cdi', name });
    const names = ['cdi-apiserver-signer', 'cdi-apiserver-server-cert', 'cdi-api-signing-key'];
    const before = await Promise.all(names.map(secret));
    const patch = (certConfig: object) => JSON.stringify({ spec: { certConfig } });
    const change = async (certConfig: object) =>
      rig.kubectl.run('patch', 'cdi', 'cdi', '--type=merge', '--patch', patch(certConfig));
    await change({
      ca: { duration: '60s', renewBefore: '40s' },
      server: { duration: '60s', renewBefore: '50s' },
      client: { duration: '60s', renewBefore: '50s' },
    });
    let isOver = false;
    const replaced = eventually(
      'all are others',
      async () => {
        const now = await Promise.all(names.map(secret));
        return now.every((each, index) => {
          const keys = ['tls.crt', 'private.pem'];
          return keys.every((key) => {
            const old = secretText(before[index], key);
            return old === undefined || secretText(each, key) !== old;
          });
        });
      },
      100_000,
      LOOK_MILLISECONDS,
    ).finally(() => (isOver = true));
    const failed: string[] = [];
    let calls = 0;
    const callAllTheTime = async () => {
      for (; !isOver; calls++) await token('target', EDITOR).catch((error) => failed.push(toError(error).message));
    };
    await Promise.all([replaced, callAllTheTime()]);
    expect(failed).to.deep.equal([]);
    expect(calls).to.be.greaterThan(5);
    await change({ ca: null, server: null, client: null });
  });

  it('is back as soon as it is started again', async () => {
    await rig.stopApi();
    expect(await refusal(token('target', EDITOR))).to.not.equal('');
    await rig.startApi();
    await eventually('a token is given', async () => token('target', EDITOR), 60_000);
    await rig.kubectl.run('get', 'apiservice', UPLOAD_API_SERVICE);
  });
});
