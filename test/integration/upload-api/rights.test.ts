import { readFile } from 'node:fs/promises';
import { request as httpsRequest } from 'node:https';
import { json } from 'node:stream/consumers';
import { expect } from 'chai';
import { persistentVolumeClaims, storageClasses } from '../../../src/kube/builtin-resources.ts';
import { AUTHENTICATION_CONFIG_MAP } from '../../../src/services/apiserver/front-proxy.ts';
import { UploadApi } from '../../../src/services/apiserver/upload-api.ts';
import { csiParts } from '../../cluster/index.ts';
import type { KeyPair } from '../../cluster/pki.ts';
import { kubernetesIsBuilt } from '../../support/api-server.ts';
import { eventually } from '../../support/eventually.ts';
import {
  describeGrant,
  type Grant,
  grantRights,
  grantsIn,
  type LimitedUser,
  refusalOf,
  tokensOf,
  usersLackingOne,
} from '../../support/grants.ts';
import { silentLogger } from '../../support/logger.ts';
import { Rig, TEAM } from './rig.ts';

const tokenPath = `/apis/upload.cdi.kubevirt.io/v1beta1/namespaces/${TEAM}/uploadtokenrequests`;
const LABEL = { 'cdi.kubevirt.io/applyStorageProfile': 'true' };

/** Of a role of Kubernetes itself: how the API server proves that a request comes from it. */
const authentication = ['list', 'watch'].map((verb) => ({
  ...{ verb, group: '', resource: 'configmaps' },
  ...AUTHENTICATION_CONFIG_MAP,
}));
const grants: readonly Grant[] = [...grantsIn('base/apiserver.yaml'), ...authentication];
const users = usersLackingOne(grants);

describe('the rights of the API of uploads', function () {
  this.timeout(120_000);
  const ending = new AbortController();
  let rig: Rig;
  let frontProxy: KeyPair;
  let apis: UploadApi[];
  let running: Promise<unknown>;

  before(kubernetesIsBuilt);
  before(async () => {
    rig = await Rig.start(tokensOf(users));
    await grantRights(rig.kubectl, users);
    const { snapshotCrds } = await csiParts();
    for (const file of snapshotCrds) await rig.kubectl.applyText(await readFile(file, 'utf8'));
    await rig.kubectl.run('wait', '--for=condition=Established', '--timeout=30s', 'crd', '--all');
    frontProxy = await rig.frontProxy.issue({ commonName: 'front-proxy' });
    await rig.client.create(storageClasses, { metadata: { name: 'fast' }, provisioner: 'csi.example' });
    await rig.client.create(persistentVolumeClaims, {
      metadata: { namespace: TEAM, name: 'target', annotations: { 'cdi.kubevirt.io/storage.upload.target': '' } },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    });
    const cloneSource = {
      apiVersion: 'cdi.kubevirt.io/v1beta1',
      kind: 'VolumeCloneSource',
      metadata: { name: 'snapshot', namespace: TEAM },
      spec: { source: { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: 'snapshot' } },
    };
    await rig.kubectl.create(JSON.stringify(cloneSource));
    // Everybody who is signed in may read these, unless an administrator has changed that.
    await rig.kubectl.run('delete', 'clusterrolebinding', 'cdi.kubevirt.io:config-reader');
    apis = users.map(apiOf);
    running = Promise.allSettled(apis.map((api) => api.run(ending.signal)));
    await eventually('the one with all rights is ready', async () => (await ask(apis[0], 'readyz')).ok, 30_000);
  });
  after(async () => {
    ending.abort();
    await running;
    await rig?.stop();
  });

  function apiOf({ token }: LimitedUser): UploadApi {
    return new UploadApi({
      kubeConfig: rig.server.kubeConfig({ token }),
      namespace: 'cdi',
      logger: silentLogger(),
      host: '127.0.0.1',
      port: 0,
      metricsPort: 0,
      unreadyFor: 0,
    });
  }

  async function ask(api: UploadApi | undefined, path: string): Promise<{ ok: boolean; text: string }> {
    if (api?.metricsPort === undefined) return { ok: false, text: '' };
    const response = await fetch(`http://127.0.0.1:${api.metricsPort}/${path}`);
    return { ok: response.ok, text: await response.text() };
  }

  async function post(port: number, path: string, body: object): Promise<{ status: number; body: unknown }> {
    return new Promise((resolve, reject) => {
      const sent = httpsRequest(
        {
          host: '127.0.0.1',
          port,
          path,
          method: 'POST',
          agent: false,
          rejectUnauthorized: false,
          cert: frontProxy.certificate,
          key: frontProxy.key,
          headers: { 'content-type': 'application/json', 'x-remote-user': 'admin', 'x-remote-group': 'system:masters' },
        },
        (response) => {
          json(response).then((answer) => resolve({ status: response.statusCode ?? 0, body: answer }), reject);
        },
      );
      sent.on('error', reject).end(JSON.stringify(body));
    });
  }

  /** Asks how a new claim is completed that is filled from such an object. */
  async function review(port: number, kind: string, name: string): Promise<number> {
    const isClone = kind === 'VolumeCloneSource';
    const object = {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'new', namespace: TEAM, labels: LABEL },
      spec: {
        accessModes: ['ReadWriteOnce'],
        storageClassName: 'fast',
        dataSourceRef: { apiGroup: 'cdi.kubevirt.io', kind, name },
        ...(isClone ? {} : { resources: { requests: { storage: '1Gi' } } }),
      },
    };
    const userInfo = { username: 'user' };
    const request = { uid: '1', operation: 'CREATE', namespace: TEAM, userInfo, object };
    const { status } = await post(port, '/mutate-claims', {
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      request,
    });
    return status;
  }

  /** Does everything that the API of uploads is there for, and resolves to the answers. */
  async function exercise({ port = 0 }: UploadApi): Promise<number[]> {
    const { status } = await post(port, tokenPath, { metadata: {}, spec: { pvcName: 'target' } });
    return [
      status,
      await review(port, 'VolumeImportSource', 'absent'),
      await review(port, 'VolumeUploadSource', 'absent'),
      await review(port, 'VolumeCloneSource', 'snapshot'),
    ];
  }

  it('are all that it needs', async () => {
    expect(await exercise(apis[0]!)).to.deep.equal([201, 200, 200, 200]);
    expect((await ask(apis[0], 'metrics')).text).to.not.match(/code="403"/);
  });

  for (const [index, grant] of grants.entries()) {
    it(`are needed: ${describeGrant(grant)}`, async () => {
      const api = apis[index + 1]!;
      if (grant.verb !== 'list' && grant.verb !== 'watch') {
        await eventually('it is ready', async () => (await ask(api, 'readyz')).ok);
        expect(await exercise(api)).to.include(500);
      }
      await eventually('it has been refused', async () => (await ask(api, 'metrics')).text.match(refusalOf(grant)));
      if (grant.verb === 'list') expect((await ask(api, 'readyz')).ok, 'whether it is ready').to.equal(false);
    });
  }
});
