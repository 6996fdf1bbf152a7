import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { type APIService, apiServices } from '../../../src/kube/builtin-resources.ts';
import { KubeClient } from '../../../src/kube/client.ts';
import { toError } from '../../../src/kube/errors.ts';
import type { Configuration } from '../../../src/kube/on-wire.ts';
import { csiParts } from '../../cluster/index.ts';
import { type ApiServer, kubernetesIsBuilt, startApiServer } from '../../support/api-server.ts';
import { eventually } from '../../support/eventually.ts';
import { Kubectl } from '../../support/kubectl.ts';
import { rejection } from '../../support/rejection.ts';

const root = join(import.meta.dirname, '../../..');
const NAMESPACE = 'team';
const CONTENTS = 'volumesnapshotcontents.snapshot.storage.k8s.io';
const CONTROLLERS = 'system:serviceaccount:cdi:cdi-sa';
/** May do everything in the namespace. */
const TENANT = 'tenant';

const MARK = { 'cdi.kubevirt.io/work.targetUID': 'claim-1' };
const restricted = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };

const object = (kind: string, name: string, rest: object, annotations: object = MARK) => ({
  apiVersion: 'v1',
  kind,
  metadata: { name, namespace: NAMESPACE, annotations },
  ...rest,
});
const installed = (kind: string, name: string) => ({ apiVersion: 'v1', kind, metadata: { name, namespace: 'cdi' } });
const claim = (name: string, metadata: object = { annotations: MARK }, storage = '1Gi') => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name, namespace: NAMESPACE, ...metadata },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } } },
});
const pod = (name: string, spec: object = {}, container: object = {}, annotations: object = MARK) =>
  object(
    'Pod',
    name,
    {
      spec: {
        automountServiceAccountToken: false,
        securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
        containers: [{ name: 'importer', image: 'image', securityContext: restricted, ...container }],
        volumes: [{ name: 'work', emptyDir: {} }],
        ...spec,
      },
    },
    annotations,
  );
const service = (name: string, spec: object) =>
  object('Service', name, { spec: { ports: [{ port: 443 }], selector: { 'cdi.kubevirt.io/transfer': 'x' }, ...spec } });

/** What a user is told who may not. */
async function refusalOf(attempt: Promise<unknown>): Promise<string> {
  return toError(await rejection(attempt)).message;
}

/** What the controllers make, and what is refused of it. */
const made: Record<string, [allowed: boolean, manifest: object]> = {
  'a restricted pod': [true, pod('pod')],
  'a pod without the mark': [false, pod('unmarked', {}, {}, {})],
  'a pod with the host’s network': [false, pod('host-network', { hostNetwork: true })],
  'a pod with the host’s processes': [false, pod('host-pid', { hostPID: true })],
  'a pod on a node of their choice': [false, pod('on-node', { nodeName: 'control-plane' })],
  'a pod with a folder of the host': [
    false,
    pod('host-path', { volumes: [{ name: 'host', hostPath: { path: '/' } }] }),
  ],
  'a pod with a token': [false, pod('token', { automountServiceAccountToken: true })],
  'a pod with a projected token': [
    false,
    pod('projected', {
      serviceAccountName: 'default',
      volumes: [{ name: 't', projected: { sources: [{ serviceAccountToken: { path: 't' } }] } }],
    }),
  ],
  'a pod that may be root': [false, pod('root', { securityContext: { seccompProfile: { type: 'RuntimeDefault' } } })],
  'a privileged container': [false, pod('privileged', {}, { securityContext: { privileged: true } })],
  'a container with a capability': [
    false,
    pod('capable', {}, { securityContext: { ...restricted, capabilities: { drop: ['ALL'], add: ['SYS_ADMIN'] } } }),
  ],
  'a pod as root': [
    false,
    pod('as-root', {
      securityContext: { runAsNonRoot: true, runAsUser: 0, seccompProfile: { type: 'RuntimeDefault' } },
    }),
  ],
  'a container that may be root': [
    false,
    pod('may-be-root', {}, { securityContext: { ...restricted, runAsNonRoot: false } }),
  ],
  'a container without seccomp': [
    false,
    pod('unconfined', {}, { securityContext: { ...restricted, seccompProfile: { type: 'Unconfined' } } }),
  ],
  'a container with labels of SELinux': [
    false,
    pod('selinux', {}, { securityContext: { ...restricted, seLinuxOptions: { type: 'spc_t' } } }),
  ],
  'a pod with a downward API volume': [
    true,
    pod('downward', {
      volumes: [{ name: 'info', downwardAPI: { items: [{ path: 'name', fieldRef: { fieldPath: 'metadata.name' } }] } }],
    }),
  ],
  'a privileged init container': [
    false,
    pod('init', { initContainers: [{ name: 'init', image: 'image', securityContext: { privileged: true } }] }),
  ],
  'a Secret of a transfer': [true, object('Secret', 'cdi-transfer-1', {})],
  'another Secret': [false, object('Secret', 'other', {})],
  'a Secret of a transfer without the mark': [false, object('Secret', 'cdi-transfer-2', {}, {})],
  'a ConfigMap for a proxy': [true, object('ConfigMap', 'vm-proxy-ca', {})],
  'a Secret that has the name of one of the installation': [false, object('Secret', 'cdi-apiserver-signer', {}, {})],
  'a Secret of the installation': [true, installed('Secret', 'cdi-apiserver-signer')],
  'another Secret in its namespace': [false, installed('Secret', 'cdi-apiserver')],
  'a bundle of the installation': [true, installed('ConfigMap', 'cdi-uploadproxy-signer-bundle')],
  'another ConfigMap in its namespace': [false, installed('ConfigMap', 'cdi-apiserver-signer')],
  'another ConfigMap': [false, object('ConfigMap', 'aws-auth', {})],
  'a Service of a copy': [true, service('copy', {})],
  'a Service of other pods': [false, service('other', { selector: { app: 'database' } })],
  'a Service that a load balancer serves': [false, service('balanced', { type: 'LoadBalancer' })],
  'a working claim': [true, claim('prime-1')],
  'a claim for a DataVolume': [
    true,
    claim('vm', {
      ownerReferences: [
        { apiVersion: 'cdi.kubevirt.io/v1beta1', kind: 'DataVolume', name: 'vm', uid: 'u', controller: true },
      ],
    }),
  ],
  'a claim for nobody': [false, claim('nobody', {})],
};

describe('the policies on the controllers and their marks, in a real API server', function () {
  this.timeout(60_000);
  let server: ApiServer;
  let kubectl: Kubectl;
  let snapshotCrds: string[];
  let count = 0;
  const uniqueName = () => `object-${count++}`;
  const as = async (user: string, ...args: string[]) => kubectl.run('-n', NAMESPACE, '--as', user, ...args);
  const patch = async (user: string, kind: string, name: string, change: object, ...args: string[]) =>
    as(user, 'patch', kind, name, '--type=merge', '--patch', JSON.stringify(change), ...args);

  interface VolumeFields {
    readonly name?: string;
    readonly claim?: string;
    readonly claimUid?: string | undefined;
    readonly provisionedBy?: string | undefined;
  }
  /** Makes a volume that is to be retained, and resolves to its name. */
  async function makeVolume(uid: string, claimName: string, fields: VolumeFields): Promise<string> {
    const {
      name,
      claim: of,
      claimUid,
      provisionedBy,
    } = {
      name: `pvc-${uid}`,
      claim: claimName,
      claimUid: uid,
      provisionedBy: 'csi.example',
      ...fields,
    };
    await kubectl.apply({
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name, annotations: provisionedBy ? { 'pv.kubernetes.io/provisioned-by': provisionedBy } : {} },
      spec: {
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteOnce'],
        persistentVolumeReclaimPolicy: 'Retain',
        csi: { driver: 'csi.example', volumeHandle: name },
        claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace: NAMESPACE, name: of, uid: claimUid },
      },
    });
    return name;
  }

  /** Nobody here takes finalizers off. */
  async function removeVolume(name: string): Promise<void> {
    await kubectl.run('patch', 'pv', name, '--type=merge', '--patch={"metadata":{"finalizers":null}}');
    await kubectl.run('delete', 'pv', name);
  }

  before(kubernetesIsBuilt);
  before(async function () {
    this.timeout(0);
    ({ snapshotCrds } = await csiParts());
  });
  before(async () => {
    server = await startApiServer({ args: ['--allow-privileged=true'] });
    kubectl = await Kubectl.create(server.kubeConfigPath);
    await kubectl.run('create', 'namespace', NAMESPACE);
    await kubectl.run('create', 'namespace', 'cdi');
    await kubectl.run('create', 'serviceaccount', 'default', '-n', NAMESPACE);
    for (const file of snapshotCrds) await kubectl.applyText(await readFile(file, 'utf8'));
    await kubectl.run('wait', '--for=condition=Established', '--timeout=30s', 'crd', '--all');
    await kubectl.run('apply', '-f', join(root, 'deploy/base/rbac.yaml'));
    await kubectl.run('apply', '-k', join(root, 'deploy/admission'));
    await kubectl.run('-n', NAMESPACE, 'create', 'rolebinding', 'all', '--clusterrole=cluster-admin', '--user', TENANT);
    await eventually('the policies are in force', async () =>
      (await kubectl.refusal(claim(uniqueName(), {}), { user: CONTROLLERS })).includes('claims with their mark'),
    );
    await eventually('the marks are guarded', async () =>
      (await kubectl.refusal(claim(uniqueName()), { user: TENANT })).includes('marks of Diskpress'),
    );
  });
  after(async () => {
    await kubectl?.remove();
    await server?.stop();
  });

  describe('let the controllers', () => {
    for (const [what, [allowed, manifest]] of Object.entries(made)) {
      it(`${allowed ? 'make' : 'not make'} ${what}`, async () => {
        const text = JSON.stringify(manifest);
        if (allowed) await kubectl.create(text, { user: CONTROLLERS });
        else expect(await refusalOf(kubectl.create(text, { user: CONTROLLERS }))).to.match(/: the controllers /);
      });
    }

    it('delete what they made, and nothing else', async () => {
      for (const kind of ['pod', 'secret', 'configmap', 'service', 'persistentvolumeclaim'] as const) {
        const name = { secret: 'cdi-transfer-9', configmap: 'x-proxy-ca' }[kind as string] ?? `deleted-${kind}`;
        const manifests = {
          pod: pod(name),
          secret: object('Secret', name, {}),
          configmap: object('ConfigMap', name, {}),
          service: service(name, {}),
          persistentvolumeclaim: claim(name),
        };
        const { metadata, ...rest } = manifests[kind];
        await kubectl.apply({ ...rest, metadata: { name, namespace: NAMESPACE } }, { user: TENANT });
        const refusal = await refusalOf(as(CONTROLLERS, 'delete', kind, name, '--wait=false'));
        expect(refusal, kind).to.include('only what has their mark');
        await as(TENANT, 'delete', kind, name, '--wait=false', '--force', '--grace-period=0');
        if (kind === 'persistentvolumeclaim') await patch(TENANT, kind, name, { metadata: { finalizers: null } });
        await eventually(`${name} is gone`, async () => {
          return (await as(TENANT, 'get', kind, name, '--ignore-not-found')) === '';
        });
        await kubectl.create(JSON.stringify({ ...rest, metadata }), { user: CONTROLLERS });
        await as(CONTROLLERS, 'delete', kind, name, '--wait=false');
      }
    });

    it('delete what CDI has left, by its names and labels, and nothing that is like it', async () => {
      const uid = '0c5f2f6e-5e0d-4f39-9f57-6a0f9ad3b1c2';
      const left = { app: 'containerized-data-importer', 'cdi.kubevirt.io': 'importer' };
      const cases: [kind: string, name: string, labels: Record<string, string>, allowed: boolean][] = [
        ['pvc', `prime-${uid}`, left, true],
        ['pvc', `tmp-pvc-${uid}`, left, true],
        ['pvc', `tmp-source-pvc-${uid}`, {}, false],
        ['pvc', 'prime-mover', left, false],
        ['pvc', 'disk-of-cdi', left, false],
        ['pod', 'importer-of-cdi', left, true],
        ['pod', 'importer-of-tenant', {}, false],
        ['pod', 'cdi-deployment', { app: left.app, 'cdi.kubevirt.io': '' }, false],
        ['service', 'cdi-upload-of-cdi', left, true],
        ['service', 'database-of-cdi', left, false],
        ['volumesnapshot', `tmp-snapshot-${uid}`, left, true],
        ['volumesnapshot', 'snapshot-of-cdi', left, false],
      ];
      for (const [kind, name, labels, allowed] of cases) {
        const manifest = {
          pvc: claim(name, {}),
          pod: pod(name, {}, {}, {}),
          service: service(name, {}),
          volumesnapshot: {
            apiVersion: 'snapshot.storage.k8s.io/v1',
            kind: 'VolumeSnapshot',
            metadata: {},
            spec: { source: { persistentVolumeClaimName: 'disk' } },
          },
        }[kind] as object;
        await kubectl.apply({ ...manifest, metadata: { name, namespace: NAMESPACE, labels } }, { user: TENANT });
        const deletion = as(CONTROLLERS, 'delete', kind, name, '--wait=false', '--force', '--grace-period=0');
        if (allowed) await deletion;
        else expect(await refusalOf(deletion), name).to.include('only what has their mark');
      }
    });

    it('make and delete images of DataImportCrons, and make none of what is there', async () => {
      const labels = { 'cdi.kubevirt.io/dataImportCron': 'fedora' };
      await kubectl.apply(claim('image', { labels }), { user: TENANT });
      await as(CONTROLLERS, 'delete', 'pvc', 'image', '--wait=false');
      const snapshot = (name: string, metadata: object) => ({
        apiVersion: 'snapshot.storage.k8s.io/v1',
        kind: 'VolumeSnapshot',
        metadata: { name, namespace: NAMESPACE, ...metadata },
        spec: { source: { persistentVolumeClaimName: 'disk' } },
      });
      await kubectl.create(JSON.stringify(snapshot('image', { labels })), { user: CONTROLLERS });
      await patch(CONTROLLERS, 'volumesnapshot', 'image', { metadata: { annotations: { used: 'now' } } });
      await as(CONTROLLERS, 'delete', 'volumesnapshot', 'image', '--wait=false');
      await kubectl.apply(claim('no-image', {}), { user: TENANT });
      await kubectl.apply(snapshot('no-image', {}), { user: TENANT });
      for (const kind of ['pvc', 'volumesnapshot']) {
        const refusal = await refusalOf(patch(CONTROLLERS, kind, 'no-image', { metadata: { labels } }));
        expect(refusal, kind).to.match(/: the controllers /);
        expect(await refusalOf(as(CONTROLLERS, 'delete', kind, 'no-image', '--wait=false')), kind).to.include(
          'only what has their mark',
        );
      }
    });

    it('tell on others’ claims, but not grow them, nor take others’ finalizers off', async () => {
      await kubectl.apply(claim('tenants', { finalizers: ['example.com/keep'] }), { user: TENANT });
      await patch(CONTROLLERS, 'pvc', 'tenants', {
        metadata: { annotations: { 'cdi.kubevirt.io/clonePhase': 'Pending' } },
      });
      const finalizers = ['example.com/keep', 'kubernetes.io/pvc-protection'];
      await patch(CONTROLLERS, 'pvc', 'tenants', {
        metadata: { finalizers: [...finalizers, 'cdi.kubevirt.io/clonePopulator'] },
      });
      await patch(CONTROLLERS, 'pvc', 'tenants', { metadata: { finalizers } });
      for (const change of [{ metadata: { finalizers: [] } }, { spec: { volumeName: 'another' } }])
        expect(await refusalOf(patch(CONTROLLERS, 'pvc', 'tenants', change))).to.include('leave the spec');
    });

    it('neither mark others’ claims, nor give them to owners that are not theirs', async () => {
      await kubectl.apply(claim('unmarked', {}), { user: TENANT });
      const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'gone', uid: 'gone' };
      const dataVolume = { apiVersion: 'cdi.kubevirt.io/v1beta1', kind: 'DataVolume', name: 'unmarked', uid: 'of-it' };
      for (const metadata of [{ annotations: MARK }, { ownerReferences: [owner] }])
        expect(await refusalOf(patch(CONTROLLERS, 'pvc', 'unmarked', { metadata }))).to.match(/: the controllers /);
      await patch(CONTROLLERS, 'pvc', 'unmarked', { metadata: { ownerReferences: [dataVolume] } });
      expect(await refusalOf(patch(CONTROLLERS, 'pvc', 'unmarked', { metadata: { ownerReferences: [] } }))).to.match(
        /: the controllers /,
      );
    });

    it('hand over the volumes of working claims to the claims that they promise them to', async () => {
      const volume = (name: string, claimName: string) => ({
        apiVersion: 'v1',
        kind: 'PersistentVolume',
        metadata: { name },
        spec: {
          capacity: { storage: '1Gi' },
          accessModes: ['ReadWriteOnce'],
          persistentVolumeReclaimPolicy: 'Delete',
          csi: { driver: 'csi.example', volumeHandle: name },
          claimRef: {
            apiVersion: 'v1',
            kind: 'PersistentVolumeClaim',
            namespace: NAMESPACE,
            name: claimName,
            uid: 'from',
          },
        },
      });
      const promise = (workingUID: string) => ({
        metadata: {
          annotations: { 'cdi.kubevirt.io/rebind.targetUID': 'to', 'cdi.kubevirt.io/rebind.workingUID': workingUID },
        },
        spec: { persistentVolumeReclaimPolicy: 'Retain' },
      });
      const bind = (uid: string) => ({ spec: { claimRef: { name: 'target', uid } } });
      await kubectl.apply(volume('working', 'tmp-pvc-to'));
      await kubectl.apply(volume('victims', 'database'));
      const refusals = [
        await refusalOf(patch(CONTROLLERS, 'pv', 'victims', promise('from'))),
        await refusalOf(patch(CONTROLLERS, 'pv', 'victims', bind('to'))),
        await refusalOf(patch(CONTROLLERS, 'pv', 'victims', { spec: { persistentVolumeReclaimPolicy: 'Retain' } })),
        await refusalOf(patch(CONTROLLERS, 'pv', 'working', promise('somebody'))),
        await refusalOf(patch(CONTROLLERS, 'pv', 'working', bind('to'))),
      ];
      for (const message of refusals) expect(message).to.match(/the controllers (hand over|bind|change)/);
      await patch(CONTROLLERS, 'pv', 'working', promise('from'));
      expect(await refusalOf(patch(CONTROLLERS, 'pv', 'working', bind('another')))).to.include('promised to');
      await patch(CONTROLLERS, 'pv', 'working', bind('to'));
    });

    it('have their API trusted by new certificates, but not sent elsewhere', async () => {
      const name = 'v1beta1.upload.cdi.kubevirt.io';
      await kubectl.apply({
        apiVersion: 'apiregistration.k8s.io/v1',
        kind: 'APIService',
        metadata: { name },
        spec: {
          group: 'upload.cdi.kubevirt.io',
          version: 'v1beta1',
          groupPriorityMinimum: 1000,
          versionPriority: 15,
          service: { name: 'cdi-api', namespace: 'cdi' },
        },
      });
      const client = new KubeClient(server.kubeConfig({ token: server.controllersToken }));
      const change = async (spec: Configuration<APIService['spec']>) =>
        client.mergePatch(apiServices, { namespace: '', name }, { spec });
      const service = { name: 'elsewhere', namespace: NAMESPACE };
      expect(await refusalOf(change({ service }))).to.include('change the certificates and nothing else');
      const { caData } = server.kubeConfig().getCurrentCluster() ?? {};
      await change({ caBundle: caData });
      await client.close();
      await kubectl.run('delete', 'apiservice', name);
    });

    describe('have deleted, of what is to be retained,', () => {
      const forget = { spec: { persistentVolumeReclaimPolicy: 'Delete' } };
      const target = randomUUID();
      const uid = randomUUID();
      const volumes: Record<string, [allowed: boolean, fields: VolumeFields]> = {
        'the volume of a working claim': [true, {}],
        'that of a claim beside a clone’s source': [true, { claim: `tmp-source-pvc-${target}` }],
        'that of a working claim’s scratch space': [true, { claim: `prime-${target}-scratch` }],
        'one of another provisioner’s naming': [true, { name: `vol-${uid}` }],
        'a user’s volume': [false, { claim: 'database' }],
        'a user’s scratch space': [false, { claim: 'database-scratch' }],
        'one whose claim only begins like a working claim': [false, { claim: 'prime-minister' }],
        'one that was made by hand': [false, { provisionedBy: undefined }],
        'one that was made for another claim': [false, { name: `pvc-${randomUUID()}` }],
        'one that is nobody’s': [false, { claimUid: undefined }],
      };

      for (const [what, [allowed, fields]] of Object.entries(volumes)) {
        it(`${allowed ? 'also' : 'never'} ${what}`, async () => {
          const name = await makeVolume(uid, `prime-${target}`, fields);
          const change = patch(CONTROLLERS, 'pv', name, forget);
          if (allowed) await change;
          else expect(await refusalOf(change)).to.include('and of those that were made for their working claims');
          await removeVolume(name);
        });
      }

      it('never one of which they would have to say first that it was provisioned', async () => {
        const name = await makeVolume(uid, `prime-${target}`, { provisionedBy: undefined });
        const annotations = { 'pv.kubernetes.io/provisioned-by': 'csi.example' };
        for (const change of [{ metadata: { annotations } }, { metadata: { annotations }, ...forget }])
          expect(await refusalOf(patch(CONTROLLERS, 'pv', name, change))).to.match(/: the controllers /);
      });

      const ref = (rest: object = {}) => ({ namespace: NAMESPACE, name: `tmp-snapshot-${target}`, uid, ...rest });
      const contents: Record<string, [allowed: boolean, name: string, spec: object]> = {
        'what was taken for a temporary snapshot': [true, `snapcontent-${uid}`, {}],
        'a user’s snapshot': [false, `snapcontent-${uid}`, { volumeSnapshotRef: ref({ name: 'nightly' }) }],
        'one that was there before': [false, `snapcontent-${uid}`, { source: { snapshotHandle: 'nightly' } }],
        'one that is bound to a temporary snapshot': [false, 'nightly', {}],
        'one that is reserved for it': [false, `snapcontent-${uid}`, { volumeSnapshotRef: ref({ uid: undefined }) }],
      };
      const content = (name: string, spec: object) => ({
        apiVersion: 'snapshot.storage.k8s.io/v1',
        kind: 'VolumeSnapshotContent',
        metadata: { name },
        spec: {
          deletionPolicy: 'Retain',
          driver: 'csi.example',
          source: { volumeHandle: 'volume' },
          volumeSnapshotRef: ref(),
          ...spec,
        },
      });

      for (const [what, [allowed, name, spec]] of Object.entries(contents)) {
        it(`${allowed ? 'also' : 'never'} ${what}`, async () => {
          await kubectl.apply(content(name, spec));
          const change = patch(CONTROLLERS, CONTENTS, name, { spec: { deletionPolicy: 'Delete' } });
          if (allowed) await change;
          else expect(await refusalOf(change)).to.include('only of what was taken for their temporary snapshots');
          await kubectl.run('delete', CONTENTS, name);
        });
      }

      it('and change nothing else of it', async () => {
        const name = `snapcontent-${uid}`;
        await kubectl.apply({ ...content(name, {}), metadata: { name, finalizers: ['example.com/keep'] } });
        const spec = { deletionPolicy: 'Delete' };
        const changes = [
          { spec, metadata: { finalizers: [] } },
          { spec, metadata: { annotations: { 'snapshot.storage.kubernetes.io/deletion-secret-name': 'theirs' } } },
          { spec: { ...spec, volumeSnapshotRef: { uid: randomUUID() } } },
          { spec: { deletionPolicy: 'Retain' }, metadata: { labels: { other: 'things' } } },
        ];
        for (const change of changes)
          expect(await refusalOf(patch(CONTROLLERS, CONTENTS, name, change))).to.match(/the controllers change/);
        expect(await refusalOf(as(CONTROLLERS, 'delete', CONTENTS, name))).to.match(/forbidden/i);
      });
    });
  });

  describe('let nobody else', () => {
    const marked = ['persistentvolumeclaim', 'pod', 'secret', 'configmap', 'service'] as const;
    const unmarked = {
      persistentvolumeclaim: claim('own', {}),
      pod: pod('own', {}, {}, {}),
      secret: object('Secret', 'own', {}, {}),
      configmap: object('ConfigMap', 'own', {}, {}),
      service: service('own', {}),
    };
    const mark = { metadata: { annotations: MARK } };
    const refused = /marks of Diskpress/;

    for (const kind of marked) {
      it(`write a mark on a ${kind}, now or later`, async () => {
        const { metadata, ...rest } = unmarked[kind];
        const bare = { ...metadata, annotations: {} };
        expect(
          await kubectl.refusal(
            { ...rest, metadata: { ...bare, name: 'forged', annotations: MARK } },
            { user: TENANT },
          ),
        ).to.match(refused);
        await kubectl.apply({ ...rest, metadata: bare }, { user: TENANT });
        expect(await refusalOf(patch(TENANT, kind, 'own', mark))).to.match(refused);
      });
    }

    it('write one on a snapshot, such as that its content may go with it, or that copies begin with it', async () => {
      const own = { apiVersion: 'snapshot.storage.k8s.io/v1', kind: 'VolumeSnapshot' };
      const metadata = { name: 'own', namespace: NAMESPACE };
      await kubectl.apply(
        { ...own, metadata, spec: { source: { persistentVolumeClaimName: 'own' } } },
        { user: TENANT },
      );
      const others = [
        { 'cdi.kubevirt.io/work.contentReleased': '2026-01-01T00:00:00Z' },
        { 'cdi.kubevirt.io/work.baseOf': 'uid', 'cdi.kubevirt.io/work.baseClass': 'csi' },
      ];
      for (const annotations of [MARK, ...others])
        expect(await refusalOf(patch(TENANT, 'volumesnapshot', 'own', { metadata: { annotations } }))).to.match(
          refused,
        );
    });

    it('write one by a status', async () => {
      for (const kind of ['persistentvolumeclaim', 'pod'] as const) {
        const { metadata, ...rest } = unmarked[kind];
        await kubectl.apply({ ...rest, metadata: { ...metadata, annotations: {} } }, { user: TENANT });
        expect(await refusalOf(patch(TENANT, kind, 'own', mark, '--subresource=status'))).to.match(refused);
      }
    });

    it('write one by a binding', async () => {
      const binding = {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name: 'own', namespace: NAMESPACE, annotations: MARK },
      };
      const body = JSON.stringify({ ...binding, target: { kind: 'Node', name: 'node' } });
      const path = `/api/v1/namespaces/${NAMESPACE}/pods/own/binding`;
      expect(await refusalOf(kubectl.create(body, { user: TENANT, raw: path }))).to.match(refused);
    });

    it('change or remove one', async () => {
      await kubectl.create(JSON.stringify(claim('prime-2')), { user: CONTROLLERS });
      for (const value of ['another', null]) {
        const change = { metadata: { annotations: { 'cdi.kubevirt.io/work.targetUID': value } } };
        expect(await refusalOf(patch(TENANT, 'pvc', 'prime-2', change))).to.match(refused);
      }
      await patch(TENANT, 'pvc', 'prime-2', { metadata: { labels: { other: 'things' } } });
    });

    it('have transfer pods of a system priority class made, who may not use it', async () => {
      const annotations = { 'cdi.kubevirt.io/storage.pod.priorityclassname': 'system-node-critical' };
      const forbidden = await refusalOf(
        kubectl.create(JSON.stringify(claim('urgent', { annotations })), { user: 'ordinary' }),
      );
      expect(forbidden).to.match(/forbidden/i);
      await kubectl.run('-n', NAMESPACE, 'create', 'role', 'claims', '--verb=create,get,patch', '--resource=pvc');
      await kubectl.run('-n', NAMESPACE, 'create', 'rolebinding', 'claims', '--role=claims', '--user', 'ordinary');
      await eventually('it may make claims', async () => {
        return (await as('ordinary', 'auth', 'can-i', 'create', 'pvc')) === 'yes';
      });
      expect(await kubectl.refusal(claim('urgent', { annotations }), { user: 'ordinary' })).to.match(
        /may not have transfer pods of priority class "system-node-critical"/,
      );
      await kubectl.apply(claim('urgent', { annotations }));
    });
  });
});
