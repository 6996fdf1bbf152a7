import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { createContext } from '../../../src/controllers/create-context.ts';
import {
  promisedToAnnotation,
  promisedToClaimAnnotation,
  reclaimPolicyAnnotation,
  workForAnnotation,
  workForClaimAnnotation,
} from '../../../src/controllers/objects/internal-annotations.ts';
import { OrphanReconciler } from '../../../src/controllers/orphans/reconciler.ts';
import {
  namespaces,
  type PersistentVolume,
  type PersistentVolumeClaim,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  secrets,
} from '../../../src/kube/builtin-resources.ts';
import { KubeClient } from '../../../src/kube/client.ts';
import { keyOf, type ObjectKey } from '../../../src/kube/key.ts';
import { Manager } from '../../../src/kube/manager.ts';
import type { KubeObject, Resource } from '../../../src/kube/resource.ts';
import {
  type VolumeSnapshot,
  type VolumeSnapshotContent,
  volumeSnapshotContents,
  volumeSnapshots,
} from '../../../src/kube/snapshot-resources.ts';
import { temporaryClaimName, temporarySnapshotName, transferSecretName } from '../../../src/protocol/object-names.ts';
import { csiParts } from '../../cluster/index.ts';
import { type ApiServer, kubernetesIsBuilt, startApiServer } from '../../support/api-server.ts';
import { eventually } from '../../support/eventually.ts';
import { Kubectl } from '../../support/kubectl.ts';
import { silentLogger } from '../../support/logger.ts';

const root = join(import.meta.dirname, '../../..');
const TEAM = 'team';
const GOLDEN = 'golden';
const GONE = '6f1c0b1e-0000-4000-8000-00000000dead';
const target: ObjectKey = { namespace: TEAM, name: 'vm' };

/**
 * What is left of clones into a claim that went without waiting for anybody. The controllers' own rights and policies
 * are in force.
 */
describe('what was made for a claim that is gone, in a real API server', function () {
  this.timeout(60_000);
  let server: ApiServer;
  let kubectl: Kubectl;
  let admin: KubeClient;
  let manager: Manager;
  let reconciler: OrphanReconciler;
  let stop: AbortController;
  let running: Promise<void>;
  let snapshotCrds: string[];
  let count = 0;

  before(kubernetesIsBuilt);
  before(async function () {
    this.timeout(0);
    ({ snapshotCrds } = await csiParts());
  });
  before(async () => {
    server = await startApiServer();
    kubectl = await Kubectl.create(server.kubeConfigPath);
    admin = new KubeClient(server.kubeConfig());
    for (const name of [TEAM, GOLDEN, 'cdi']) await admin.create(namespaces, { metadata: { name } });
    await kubectl.run('-n', GOLDEN, 'create', 'serviceaccount', 'default');
    await kubectl.run('apply', '-k', join(root, 'crds'));
    for (const file of snapshotCrds) await kubectl.applyText(await readFile(file, 'utf8'));
    await kubectl.run('wait', '--for=condition=Established', '--timeout=30s', 'crd', '--all');
    await kubectl.run('apply', '-f', join(root, 'deploy/base/rbac.yaml'));
    manager = new Manager({
      kubeConfig: server.kubeConfig({ token: server.controllersToken }),
      logger: silentLogger(),
    });
    const context = createContext(manager, { image: 'image', namespace: 'cdi', version: 'test' });
    const { caches } = context;
    reconciler = new OrphanReconciler(context);
    manager.addController(reconciler, { watches: [] });
    stop = new AbortController();
    running = manager.run(stop.signal);
    await eventually('the caches are filled', () => Object.values(caches).every(({ hasSynced }) => hasSynced));
    await makeOrphans(GONE);
    // Only now: nobody could plant foreign objects with marks any more.
    await kubectl.run('apply', '-k', join(root, 'deploy/admission'));
    await eventually('everything is cached', () =>
      [caches.claims, caches.snapshots, caches.pods, caches.volumes].every(({ size }) => size > 0),
    );
    await eventually('the policies are in force', async () =>
      (await kubectl.refusal(claim(`planted-${count++}`, GONE), {})).includes('marks of Diskpress'),
    );
  });
  after(async () => {
    stop?.abort();
    await running;
    await admin?.close();
    await kubectl?.remove();
    await server?.stop();
  });

  const marks = (uid: string) => ({
    [workForAnnotation]: uid,
    [workForClaimAnnotation]: `${target.namespace}/${target.name}`,
  });
  const claim = (name: string, uid: string | undefined): PersistentVolumeClaim => ({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { namespace: GOLDEN, name, annotations: uid === undefined ? {} : marks(uid) },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  });

  /** As a provisioner makes it for a claim of a class that retains. */
  const retained = ({ metadata }: PersistentVolumeClaim): PersistentVolume => ({
    metadata: { name: `pvc-${metadata?.uid}`, annotations: { 'pv.kubernetes.io/provisioned-by': 'csi.example' } },
    spec: {
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteOnce'],
      persistentVolumeReclaimPolicy: 'Retain',
      csi: { driver: 'csi.example', volumeHandle: `${metadata?.uid}` },
      claimRef: { kind: 'PersistentVolumeClaim', namespace: GOLDEN, name: metadata?.name, uid: metadata?.uid },
    },
  });
  /** As the snapshot controller makes it for a snapshot of a class that retains. */
  const retainedContent = ({ metadata }: VolumeSnapshot): VolumeSnapshotContent => ({
    metadata: { name: `snapcontent-${metadata?.uid}` },
    spec: {
      deletionPolicy: 'Retain',
      driver: 'csi.example',
      source: { volumeHandle: 'fedora' },
      volumeSnapshotRef: {
        kind: 'VolumeSnapshot',
        namespace: GOLDEN,
        name: metadata?.name ?? '',
        uid: metadata?.uid ?? '',
      },
    },
  });

  async function makeOrphans(uid: string): Promise<void> {
    const metadata = { namespace: GOLDEN, annotations: marks(uid) };
    const working = await admin.create(persistentVolumeClaims, claim(temporaryClaimName(uid), uid));
    await admin.create(persistentVolumes, retained(working));
    const volumeName = retained(working).metadata?.name;
    await admin.mergePatch(persistentVolumeClaims, keyOf(working), { spec: { volumeName } });
    await admin.create(persistentVolumeClaims, claim('fedora', undefined));
    const snapshot = await admin.create(volumeSnapshots, {
      metadata: { ...metadata, name: temporarySnapshotName(uid) },
      spec: { source: { persistentVolumeClaimName: 'fedora' } },
    });
    await admin.create(volumeSnapshotContents, retainedContent(snapshot));
    await admin.create(secrets, { metadata: { ...metadata, name: transferSecretName(uid) } });
    await admin.create(pods, {
      metadata: { ...metadata, name: 'source-pod' },
      spec: { containers: [{ name: 'source', image: 'image' }] },
    });
    await admin.create(persistentVolumes, {
      metadata: {
        name: 'promised',
        annotations: {
          [promisedToAnnotation]: uid,
          [promisedToClaimAnnotation]: `${target.namespace}/${target.name}`,
          [reclaimPolicyAnnotation]: 'Delete',
        },
      },
      spec: {
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteOnce'],
        persistentVolumeReclaimPolicy: 'Retain',
        csi: { driver: 'csi.example', volumeHandle: '1' },
      },
    });
  }

  /** Whether an object is gone, or going: nobody here runs the controllers of Kubernetes, which take finalizers off. */
  async function isLeaving<T extends KubeObject>(resource: Resource<T>, key: ObjectKey): Promise<boolean> {
    const found = await admin.get(resource, key);
    return found === undefined || found.metadata?.deletionTimestamp !== undefined;
  }

  it('is removed, with the keys of the copy and what classes would have retained, and a volume goes the way of its class', async () => {
    await eventually('nothing more is left', async () => {
      await reconciler.reconcile(target);
      return (
        (await isLeaving(persistentVolumeClaims, { namespace: GOLDEN, name: temporaryClaimName(GONE) })) &&
        (await isLeaving(volumeSnapshots, { namespace: GOLDEN, name: temporarySnapshotName(GONE) }))
      );
    });
    expect(await isLeaving(volumeSnapshots, { namespace: GOLDEN, name: temporarySnapshotName(GONE) })).to.equal(true);
    expect(await isLeaving(pods, { namespace: GOLDEN, name: 'source-pod' })).to.equal(true);
    expect(await isLeaving(secrets, { namespace: GOLDEN, name: transferSecretName(GONE) })).to.equal(true);
    const volume = await admin.get(persistentVolumes, { namespace: '', name: 'promised' });
    expect(volume?.spec?.persistentVolumeReclaimPolicy).to.equal('Delete');
    expect(volume?.metadata?.annotations ?? {}).to.deep.equal({});
    expect(await isLeaving(persistentVolumeClaims, { namespace: GOLDEN, name: 'fedora' })).to.equal(false);
    const volumes = await admin.list(persistentVolumes);
    expect(volumes.map(({ spec }) => spec?.persistentVolumeReclaimPolicy)).to.deep.equal(['Delete', 'Delete']);
    const [content] = await admin.list(volumeSnapshotContents);
    expect(content?.spec.deletionPolicy).to.equal('Delete');
  });

  it('stays while the claim is there, however late the cache learns of it', async () => {
    const { metadata } = await admin.create(persistentVolumeClaims, {
      ...claim(target.name, undefined),
      metadata: { ...target },
    });
    const uid = metadata?.uid ?? '';
    const name = temporaryClaimName(uid);
    await manager.client.create(persistentVolumeClaims, claim(name, uid));
    await reconciler.reconcile(target);
    expect(await isLeaving(persistentVolumeClaims, { namespace: GOLDEN, name })).to.equal(false);
  });
});
