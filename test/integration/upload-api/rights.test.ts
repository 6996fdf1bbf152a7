import { readFile } from 'node:fs/promises';
import { request as httpsRequest } from 'node:https';
import { json } from 'node:stream/consumers';
import type { KubernetesObject, V1PolicyRule } from '@kubernetes/client-node';
import { expect } from 'chai';
import { persistentVolumeClaims, storageClasses } from '../../../src/kube/builtin-resources.ts';
import { csiParts } from '../../cluster/index.ts';
import type { KeyPair } from '../../cluster/pki.ts';
import { kubernetesIsBuilt } from '../../support/api-server.ts';
import { objectsIn } from '../../support/deployed.ts';
import { eventually } from '../../support/eventually.ts';
import { Rig, TEAM } from './rig.ts';

type Role = KubernetesObject & { rules: V1PolicyRule[] };

const tokenPath = `/apis/upload.cdi.kubevirt.io/v1beta1/namespaces/${TEAM}/uploadtokenrequests`;
const LABEL = { 'cdi.kubevirt.io/applyStorageProfile': 'true' };

interface Grant {
  readonly what: string;
  readonly of: KubernetesObject;
  /** The same object without it; undefined where it is the whole object. */
  readonly without?: KubernetesObject;
}

/** What is granted: each with how it is taken away. A watch goes with its list, without which it is never begun. */
function grants(): Grant[] {
  return objectsIn('base/apiserver.yaml').flatMap((object): Grant[] => {
    const { kind = '', metadata } = object;
    if (kind === 'ClusterRoleBinding' || kind === 'RoleBinding')
      return [{ what: `${kind} ${metadata?.name}`, of: object }];
    if (kind !== 'ClusterRole' && kind !== 'Role') return [];
    const { rules } = object as Role;
    return rules.flatMap((rule, index) => {
      const [field, names] = rule.resourceNames
        ? (['resourceNames', rule.resourceNames] as const)
        : (['resources', rule.resources ?? []] as const);
      return names.map((name) => {
        const left = names.filter((each) => each !== name);
        const others = rules.filter((_, other) => other !== index);
        const without = { ...object, rules: left.length > 0 ? [...others, { ...rule, [field]: left }] : others };
        return { what: `${rule.verbs.join(', ')} ${name}`, without, of: object };
      });
    });
  });
}

describe('the rights of the API of uploads', function () {
  this.timeout(120_000);
  let rig: Rig;
  let frontProxy: KeyPair;

  before(kubernetesIsBuilt);
  before(async () => {
    rig = await Rig.start();
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
    await exercise();
  });
  after(async () => rig?.stop());

  async function post(path: string, body: object): Promise<{ status: number; body: unknown }> {
    return new Promise((resolve, reject) => {
      const sent = httpsRequest(
        {
          host: '127.0.0.1',
          port: rig.port,
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
  async function review(kind: string, name: string): Promise<number> {
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
    const { status } = await post('/mutate-claims', {
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      request,
    });
    return status;
  }

  /** Does everything that the API of uploads is there for; throws where some of it fails. */
  async function exercise(): Promise<void> {
    try {
      await rig.startApi(5000);
      const { status } = await post(tokenPath, { metadata: {}, spec: { pvcName: 'target' } });
      expect(status, 'a token').to.equal(201);
      expect(await review('VolumeImportSource', 'absent'), 'a claim for an import').to.equal(200);
      expect(await review('VolumeUploadSource', 'absent'), 'a claim for an upload').to.equal(200);
      expect(await review('VolumeCloneSource', 'snapshot'), 'a claim for a clone').to.equal(200);
    } finally {
      await rig.stopApi();
    }
  }

  for (const { what, without, of } of grants()) {
    it(`are needed: ${what}`, async () => {
      const { kind = '', metadata } = of;
      if (without) await rig.kubectl.apply(without);
      else await rig.kubectl.run('delete', kind, metadata?.name ?? '', '-n', metadata?.namespace ?? 'default');
      await eventually('something fails', async () => {
        return exercise().then(
          () => false,
          () => true,
        );
      });
      await rig.kubectl.apply(of);
      await eventually('all is well again', async () => exercise().then(() => true));
    });
  }
});
