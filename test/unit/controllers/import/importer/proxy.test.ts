import { expect } from 'chai';
import fc from 'fast-check';
import type { CDI } from '../../../../../src/api/cdi.ts';
import type { ImportProxy } from '../../../../../src/api/cdi-config.ts';
import { CDIReconciler } from '../../../../../src/controllers/cdi/reconciler.ts';
import { importerPod } from '../../../../../src/controllers/import/importer/importer-pod.ts';
import { provideProxy } from '../../../../../src/controllers/import/importer/proxy.ts';
import { importRequestOf } from '../../../../../src/controllers/import/importer/request.ts';
import { ConfigView } from '../../../../../src/controllers/runtime/config-view.ts';
import { withoutLogins } from '../../../../../src/controllers/runtime/proxy-login.ts';
import type { PersistentVolumeClaim, Secret } from '../../../../../src/kube/builtin-resources.ts';
import type { KubeObject, Resource } from '../../../../../src/kube/resource.ts';
import { Store } from '../../../../../src/kube/store.ts';
import { rejection } from '../../../../support/rejection.ts';
import { cachesOf } from '../../caches.ts';

const PASSWORD = 'pa/ss@word';
const LOGIN = `http://me:${PASSWORD}@proxy.example:3128`;
const claim: PersistentVolumeClaim = {
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: {
    namespace: 'team',
    name: 'prime-1',
    uid: 'of-prime',
    annotations: { 'cdi.kubevirt.io/storage.import.endpoint': 'http://server/disk.img' },
  },
};

function cdiWith(importProxy: ImportProxy): CDI {
  return {
    apiVersion: 'cdi.kubevirt.io/v1beta1',
    kind: 'CDI',
    metadata: { name: 'cdi', uid: 'of-cdi' },
    spec: { config: { importProxy } },
  };
}

function configOf(cdis: readonly CDI[], configs: readonly object[] = []): ConfigView {
  const stores = [cdis, configs].map((objects) => {
    const store = new Store<KubeObject>();
    for (const object of objects) store.set(object);
    return store;
  });
  const [cdiStore, configStore] = stores;
  return new ConfigView({ cdis: cdiStore, cdiConfigs: configStore } as never, { image: 'diskpress', namespace: 'cdi' });
}

describe('the login of a proxy', () => {
  it('is in nothing that CDIConfig has', async () => {
    const written: object[] = [];
    const write = async (_: unknown, object: object) => void written.push(object);
    const patch = async (_: unknown, __: unknown, object: object) => void written.push(object);
    const cdi = cdiWith({ HTTPProxy: LOGIN, HTTPSProxy: 'http://other.example:1', noProxy: '.svc' });
    const cdis = new Store<KubeObject>();
    cdis.set(cdi);
    const context = {
      client: { get: async () => undefined, apply: write, applyStatus: write, mergePatch: patch },
      caches: { ...cachesOf({}), cdis, cdiConfigs: new Store<KubeObject>() },
      config: { namespace: 'cdi' },
      now: () => 0,
    };
    const installation = { deployments: new Map(), podsOf: () => [] };
    await new CDIReconciler(context as never, installation).reconcile({ namespace: '', name: 'cdi' });
    const shown = { HTTPProxy: 'http://proxy.example:3128', HTTPSProxy: 'http://other.example:1', noProxy: '.svc' };
    expect(written).to.have.length(3);
    expect(written[0]).to.have.nested.property('spec.importProxy').that.deep.equals(shown);
    expect(written[1]).to.have.nested.property('status.importProxy').that.deep.equals(shown);
    expect(JSON.stringify(written)).to.not.match(/pa.ss|word|me:/);
  });

  it('is left out of whatever is given as a proxy, and nothing else is', () => {
    const secret = fc.string({ minLength: 1 }).map((text) => `SECRET${text}`);
    const scheme = fc.constantFrom('http://', 'HTTPS://', '');
    const host = fc.constantFrom('proxy:3128', '[fd00::1]:1', 'proxy/');
    fc.assert(
      fc.property(scheme, secret, host, (start, login, end) => {
        expect(withoutLogins({ HTTPProxy: `${start}${login}@${end}` })).to.deep.equal({ HTTPProxy: `${start}${end}` });
        expect(withoutLogins({ HTTPSProxy: `${start}${end}` })).to.deep.equal({ HTTPSProxy: `${start}${end}` });
      }),
    );
  });

  it('comes from the CDI object, and only without one from CDIConfig', () => {
    const config = { metadata: { name: 'config' }, spec: { importProxy: { HTTPProxy: 'http://proxy.example:3128' } } };
    expect(configOf([cdiWith({ HTTPProxy: LOGIN })], [config]).importProxy).to.deep.equal({ HTTPProxy: LOGIN });
    expect(configOf([{ ...cdiWith({}), spec: {} }], [config]).importProxy).to.deep.equal({});
    expect(configOf([], [config]).importProxy).to.deep.equal(config.spec.importProxy);
  });
});

describe('what an importer needs to use proxies', () => {
  async function provide(importProxy: ImportProxy, existing: Readonly<Record<string, KubeObject>> = {}) {
    const made: { kind: string; object: Secret }[] = [];
    const client = {
      get: async ({ kind }: Resource<KubeObject>, { namespace, name }: { namespace: string; name: string }) =>
        existing[`${kind} ${namespace}/${name}`],
      create: async ({ kind }: Resource<KubeObject>, object: Secret) => {
        made.push({ kind, object });
        return object;
      },
    };
    const config = configOf([cdiWith(importProxy)]);
    const access = await provideProxy({ client: client as never, config }, claim);
    const target = {
      volumeMode: 'Filesystem',
      capacity: 1,
      filesystemOverhead: 0,
      preallocation: false,
      contentType: 'kubevirt',
    } as const;
    const owner = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', name: 'disk', uid: 'of-disk' };
    const request = importRequestOf(claim, target, config);
    const pod = importerPod(claim, request, access, owner, config.transferSettings, 0);
    const variables = (pod.spec?.containers[0]?.env ?? []).filter(({ name }) => name.endsWith('_PROXY'));
    return { made, pod, variables };
  }
  const own = {
    namespace: 'team',
    annotations: { 'cdi.kubevirt.io/work.targetClaim': 'team/prime-1', 'cdi.kubevirt.io/work.targetUID': 'of-prime' },
    ownerReferences: [{ apiVersion: 'v1', kind: 'PersistentVolumeClaim', name: 'prime-1', uid: 'of-prime' }],
  };

  it('is nothing but its environment where they ask for no login', async () => {
    const { made, variables } = await provide({ HTTPProxy: 'http://proxy:1', noProxy: '.svc' });
    expect(made).to.deep.equal([]);
    expect(variables).to.deep.equal([
      { name: 'HTTP_PROXY', value: 'http://proxy:1' },
      { name: 'NO_PROXY', value: '.svc' },
    ]);
  });

  it('is a Secret with those that do, which the pod itself does not show', async () => {
    const { made, pod, variables } = await provide({ HTTPProxy: 'http://proxy:1', HTTPSProxy: LOGIN });
    const name = 'cdi-transfer-of-prime-proxy';
    expect(made.map(({ kind }) => kind)).to.deep.equal(['Secret']);
    expect(made[0]?.object).to.deep.include({ type: 'Opaque', stringData: { HTTPS_PROXY: LOGIN } });
    expect(made[0]?.object.metadata).to.deep.include({ ...own, name });
    expect(made[0]?.object.metadata?.labels).to.include({ 'app.kubernetes.io/managed-by': 'cdi-controller' });
    expect(variables).to.deep.equal([
      { name: 'HTTP_PROXY', value: 'http://proxy:1' },
      { name: 'HTTPS_PROXY', valueFrom: { secretKeyRef: { name, key: 'HTTPS_PROXY' } } },
    ]);
    expect(JSON.stringify(pod)).to.not.contain(PASSWORD);
  });

  it('is a copy of the certificates, which the pod mounts', async () => {
    const certificates = { 'ca.pem': 'certificate' };
    const { made, pod } = await provide(
      { HTTPSProxy: 'https://proxy:1', trustedCAProxy: 'authority' },
      { 'ConfigMap cdi/authority': { data: certificates } as never },
    );
    expect(made.map(({ kind }) => kind)).to.deep.equal(['ConfigMap']);
    expect(made[0]?.object).to.deep.include({ data: certificates });
    expect(made[0]?.object.metadata).to.deep.include({ ...own, name: 'prime-1-proxy-ca' });
    expect(pod.spec?.volumes?.map(({ configMap }) => configMap?.name)).to.include('prime-1-proxy-ca');
  });

  it('is not made where its certificates are not there, and says so', async () => {
    const error = await rejection(provide({ HTTPSProxy: 'https://proxy:1', trustedCAProxy: 'authority' }));
    expect(error).to.include({ reason: 'ConfigMapNotFound' });
    expect(error).to.have.property('message').that.contains('"authority"').and.contains('namespace "cdi"');
  });

  it('is not taken from a pod that is there already', async () => {
    const pod = { metadata: { name: 'importer-prime-1' } };
    const { made, variables } = await provide({ HTTPSProxy: LOGIN }, { 'Pod team/importer-prime-1': pod });
    expect(made).to.deep.equal([]);
    expect(variables).to.have.length(1);
  });
});

describe('the Secrets and ConfigMaps of an import', () => {
  it('are mounted where they are there, and named in the request for the pod to miss', () => {
    const annotations = {
      ...claim.metadata?.annotations,
      'cdi.kubevirt.io/storage.import.secretName': 'login',
      'cdi.kubevirt.io/storage.import.secretExtraHeaders.0': 'header',
      'cdi.kubevirt.io/storage.import.certConfigMap': 'authority',
    };
    const asking = { ...claim, metadata: { ...claim.metadata, annotations } };
    const request = importRequestOf(asking, { volumeMode: 'Filesystem' } as never, configOf([]));
    const owner = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', name: 'disk', uid: 'of-disk' };
    const pod = importerPod(asking, request, { env: [], mounts: [] }, owner, configOf([]).transferSettings, 0);
    const named = (pod.spec?.volumes ?? []).flatMap(({ name, secret, configMap }) => {
      const object = secret?.secretName ?? configMap?.name;
      return object ? [{ name, object, optional: (secret ?? configMap)?.optional }] : [];
    });
    expect(named.map(({ object, optional }) => [object, optional])).to.deep.equal([
      ['login', true],
      ['header', true],
      ['authority', true],
    ]);
    for (const { name: volume, object } of named) {
      const { mountPath } = pod.spec?.containers[0]?.volumeMounts?.find(({ name }) => name === volume) ?? {};
      expect(request.dependencies.find(({ name }) => name === object)?.path).to.equal(mountPath);
    }
    expect(request.dependencies[0]).to.deep.include({ namespace: 'team', keys: [['accessKeyId', 'secretKey']] });
  });
});
