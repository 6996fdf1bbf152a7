import { expect } from 'chai';
import { namespaces, persistentVolumeClaims, pods, secrets } from '../../src/kube/builtin-resources.ts';
import { toError } from '../../src/kube/errors.ts';
import { keyOf } from '../../src/kube/key.ts';
import { secretText } from '../../src/kube/secret-text.ts';
import { roleCertificates, signers, TOKEN_SIGNING_KEY, TOKEN_SIGNING_SECRET } from '../../src/protocol/installation.ts';
import { objectIn } from '../support/deployed.ts';
import { productNamespace } from '../support/environment.ts';
import { eventually } from '../support/eventually.ts';
import { rejection } from '../support/rejection.ts';
import { useSuite } from './support/suite.ts';

const USER = 'uploader';
/** Between two looks at what changes within a minute. */
const LOOK_MILLISECONDS = 300;
const API_PODS = { namespace: productNamespace, labelSelector: 'cdi.kubevirt.io=cdi-apiserver' };

describe('the upload API', function () {
  this.timeout(300_000);
  const suite = useSuite();
  const claim = () => suite.key('upload-api');
  let count = 0;

  before(async () => {
    const { namespace, name } = claim();
    await suite.client.create(persistentVolumeClaims, {
      metadata: { namespace, name, annotations: { 'cdi.kubevirt.io/storage.upload.target': '' } },
      spec: {
        accessModes: ['ReadWriteOnce'],
        storageClassName: suite.classes.standard,
        resources: { requests: { storage: '64Mi' } },
      },
    });
    await suite.kubectl.run('-n', namespace, 'create', 'rolebinding', 'uploader', '--clusterrole=edit', '--user', USER);
  });

  async function requestToken(user: string): Promise<string> {
    const { namespace, name } = claim();
    const request = {
      apiVersion: 'upload.cdi.kubevirt.io/v1beta1',
      kind: 'UploadTokenRequest',
      metadata: { name: `token-${++count}`, namespace },
      spec: { pvcName: name },
    };
    return suite.kubectl.create(JSON.stringify(request), { user });
  }

  /** A namespace is made and deleted, and is gone. */
  async function requireNamespacesToGo(): Promise<void> {
    const name = `diskpress-test-going-${++count}`;
    await suite.client.create(namespaces, { metadata: { name } });
    await suite.client.delete(namespaces, { namespace: '', name });
    await eventually(
      'the namespace is gone',
      async () => (await suite.client.get(namespaces, { namespace: '', name })) === undefined,
      30_000,
    );
  }

  it('gives tokens to those who may edit, by the cluster’s own role, and to nobody else', async () => {
    await eventually('a token is given', async () => requestToken(USER));
    expect(toError(await rejection(requestToken('stranger'))).message).to.include('forbidden');
  });

  it('lets namespaces be deleted while one of its pods is killed', async () => {
    const [killed] = await suite.client.list(pods, API_PODS);
    if (!killed) throw new Error('there is no pod of the upload API');
    await suite.client.delete(pods, keyOf(killed), { gracePeriodSeconds: 0 });
    await requireNamespacesToGo();
  });

  /** Requests one token after the other until something is over, and requires that each is given. */
  async function requireTokensUntil(over: Promise<unknown>): Promise<void> {
    let isOver = false;
    const failed: string[] = [];
    const requestAllTheTime = async () => {
      while (!isOver) await requestToken(USER).catch((error) => failed.push(toError(error).message));
    };
    await Promise.all([over.finally(() => (isOver = true)), requestAllTheTime()]);
    expect(failed).to.deep.equal([]);
  }

  it('answers while its pods are replaced one after the other', async () => {
    await suite.kubectl.run('-n', productNamespace, 'rollout', 'restart', 'deployment/cdi-apiserver');
    const status = ['rollout', 'status', 'deployment/cdi-apiserver', '--timeout=120s'];
    await requireTokensUntil(suite.kubectl.run('-n', productNamespace, ...status));
  });

  it('answers while every certificate and key is replaced', async () => {
    const names = [signers.apiserver, roleCertificates.apiserver.secret, TOKEN_SIGNING_SECRET];
    const read = async () =>
      Promise.all(
        names.map(async (name) => {
          const secret = await suite.client.get(secrets, { namespace: productNamespace, name });
          return secretText(secret, 'tls.crt') ?? secretText(secret, TOKEN_SIGNING_KEY);
        }),
      );
    const configure = async (certConfig: object | null) =>
      suite.kubectl.run('patch', 'cdi', 'cdi', '--type=merge', '--patch', JSON.stringify({ spec: { certConfig } }));
    const before = await read();
    const short = { duration: '60s', renewBefore: '50s' };
    await configure({ ca: { duration: '60s', renewBefore: '20s' }, server: short, client: short });
    try {
      await requireTokensUntil(
        eventually(
          'all are others',
          async () => (await read()).every((each, index) => each !== undefined && each !== before[index]),
          120_000,
          LOOK_MILLISECONDS,
        ),
      );
    } finally {
      await configure(null);
    }
    await requestToken(USER);
  });

  it('is not missed by namespaces once its APIService is removed', async () => {
    const inNamespace = ['-n', productNamespace];
    await suite.kubectl.run('delete', 'apiservice', 'v1beta1.upload.cdi.kubevirt.io');
    await suite.kubectl.run(...inNamespace, 'scale', 'deployment/cdi-apiserver', '--replicas=0');
    try {
      await eventually('its pods are gone', async () => (await suite.client.list(pods, API_PODS)).length === 0, 60_000);
      await requireNamespacesToGo();
    } finally {
      await suite.kubectl.apply(objectIn('base/apiserver.yaml', 'APIService'));
      await suite.kubectl.run(...inNamespace, 'scale', 'deployment/cdi-apiserver', '--replicas=2');
      await suite.kubectl.run(...inNamespace, 'rollout', 'status', 'deployment/cdi-apiserver', '--timeout=120s');
    }
    await eventually('a token is given', async () => requestToken(USER), 60_000);
  });
});
