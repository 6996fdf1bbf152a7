import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { finalizer } from '../../../src/api/finalizers.ts';
import { releaseTarget } from '../../../src/controllers/claims/population/release-target.ts';
import { rebindVolume } from '../../../src/controllers/claims/rebind/rebind-volume.ts';
import { createContext } from '../../../src/controllers/create-context.ts';
import { workForAnnotation, workForClaimAnnotation } from '../../../src/controllers/objects/internal-annotations.ts';
import type { Caches } from '../../../src/controllers/runtime/caches.ts';
import type { ControllerContext } from '../../../src/controllers/runtime/context.ts';
import {
  events,
  namespaces,
  type PersistentVolumeClaim,
  persistentVolumeClaims,
} from '../../../src/kube/builtin-resources.ts';
import type { ObjectKey } from '../../../src/kube/key.ts';
import { Manager } from '../../../src/kube/manager.ts';
import { type VolumeSnapshot, volumeSnapshotContents, volumeSnapshots } from '../../../src/kube/snapshot-resources.ts';
import { temporaryClaimName, temporarySnapshotName } from '../../../src/protocol/object-names.ts';
import { csiParts } from '../../cluster/index.ts';
import { type ApiServer, kubernetesIsBuilt, startApiServer } from '../../support/api-server.ts';
import { eventually } from '../../support/eventually.ts';
import { Kubectl } from '../../support/kubectl.ts';
import { silentLogger } from '../../support/logger.ts';
import { rejection } from '../../support/rejection.ts';

const CRDS = join(import.meta.dirname, '../../../crds');
const AS_SOURCE_PROTECTION = 'snapshot.storage.kubernetes.io/volumesnapshot-as-source-protection';
const BEING_CREATED = 'snapshot.storage.kubernetes.io/volumesnapshot-being-created';
const RESTORE_PROTECTION = 'provisioner.storage.kubernetes.io/volumesnapshot-as-source-protection';
const TEAM = 'team';
const GOLDEN = 'golden';

/** The snapshot controller's part is played by the test, so that everything happens at the wrong moment. */
describe('releaseTarget against a real API server', function () {
  this.timeout(60_000);
  let server: ApiServer;
  let kubectl: Kubectl;
  let manager: Manager;
  let caches: Caches;
  let context: ControllerContext;
  let stop: AbortController;
  let running: Promise<void>;
  let count = 0;
  let target: PersistentVolumeClaim;
  let snapshotKey: ObjectKey;
  let snapshotCrds: string[];

  before(kubernetesIsBuilt);
  before(async function () {
    this.timeout(0);
    ({ snapshotCrds } = await csiParts());
  });
  before(async () => {
    server = await startApiServer();
    kubectl = await Kubectl.create(server.kubeConfigPath);
    await kubectl.run('apply', '-k', CRDS);
    for (const file of snapshotCrds) await kubectl.applyText(await readFile(file, 'utf8'));
    await kubectl.run('wait', '--for=condition=Established', '--timeout=30s', 'crd', '--all');
    manager = new Manager({ kubeConfig: server.kubeConfig(), logger: silentLogger() });
    for (const name of [TEAM, GOLDEN]) await manager.client.create(namespaces, { metadata: { name } });
    context = createContext(manager, { image: 'image', namespace: 'cdi', version: 'test' });
    ({ caches } = context);
    stop = new AbortController();
    running = manager.run(stop.signal);
    await eventually('the caches are filled', () => Object.values(caches).every(({ hasSynced }) => hasSynced));
  });
  after(async () => {
    stop?.abort();
    await running;
    await kubectl?.remove();
    await server?.stop();
  });

  /** A claim that is being deleted in the middle of its population. */
  beforeEach(async () => {
    const { client } = context;
    const key = { namespace: TEAM, name: `target-${++count}` };
    const { metadata } = await client.create(persistentVolumeClaims, {
      metadata: { ...key, finalizers: [finalizer.clonePopulator] },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    });
    await client.delete(persistentVolumeClaims, key);
    const isDeleting = () => {
      const found = caches.claims.get(key);
      return found?.metadata?.deletionTimestamp ? found : undefined;
    };
    target = await eventually('the deletion is seen', isDeleting);
    snapshotKey = { namespace: GOLDEN, name: temporarySnapshotName(metadata?.uid ?? '') };
  });

  const createSnapshot = (finalizers: string[]) =>
    context.client.create(volumeSnapshots, {
      metadata: {
        ...snapshotKey,
        finalizers,
        annotations: {
          [workForAnnotation]: target.metadata?.uid ?? '',
          [workForClaimAnnotation]: `${TEAM}/${target.metadata?.name}`,
        },
      },
      spec: { source: { persistentVolumeClaimName: 'golden' } },
    });
  const untilCached = (what: string, condition: (snapshot: VolumeSnapshot) => boolean) =>
    eventually(what, () => {
      const found = caches.snapshots.get(snapshotKey);
      return found && condition(found);
    });
  /** As if the cache had these snapshots and no others. */
  const withSnapshots = (seen: VolumeSnapshot[]): ControllerContext => ({
    ...context,
    caches: { ...caches, snapshots: { byIndex: () => seen } as unknown as Caches['snapshots'] },
  });
  const snapshot = () => context.client.get(volumeSnapshots, snapshotKey);
  const isHeld = async () => {
    const found = await context.client.get(persistentVolumeClaims, { namespace: TEAM, name: target.metadata!.name! });
    return found?.metadata?.finalizers?.includes(finalizer.clonePopulator) ?? false;
  };

  const createContent = async (annotations: Record<string, string>) => {
    const name = `content-${count}`;
    await context.client.create(volumeSnapshotContents, {
      metadata: { name, annotations },
      spec: {
        deletionPolicy: 'Delete',
        driver: 'driver',
        source: { volumeHandle: 'volume' },
        volumeSnapshotRef: { ...snapshotKey },
      },
    });
    return name;
  };
  const setStatus = async (status: VolumeSnapshot['status']) => {
    const { metadata } = await context.client.mergePatch(
      volumeSnapshots,
      snapshotKey,
      { status },
      { subresource: 'status' },
    );
    await untilCached('the status', (found) => found.metadata?.resourceVersion === metadata?.resourceVersion);
  };

  it('deletes no snapshot that is being taken, until it has been', async () => {
    await createSnapshot([AS_SOURCE_PROTECTION]);
    await untilCached('the snapshot', () => true);
    const expectPatience = async () => {
      expect((await releaseTarget(context, target))?.requeueAfter).to.be.greaterThan(0);
      expect((await snapshot())?.metadata).not.to.have.property('deletionTimestamp');
    };
    await expectPatience();
    const boundVolumeSnapshotContentName = await createContent({ [BEING_CREATED]: 'yes' });
    await setStatus({ boundVolumeSnapshotContentName, readyToUse: false });
    await expectPatience();
    await setStatus({ boundVolumeSnapshotContentName, readyToUse: true });
    await expectPatience();
    const unmarked = { metadata: { annotations: { [BEING_CREATED]: null } } };
    await context.client.mergePatch(
      volumeSnapshotContents,
      { namespace: '', name: boundVolumeSnapshotContentName },
      unmarked,
    );
    await releaseTarget(context, target);
    expect((await snapshot())?.metadata).to.have.property('deletionTimestamp');
    expect(await isHeld()).to.equal(true);
    await untilCached('the deletion', ({ metadata }) => metadata?.deletionTimestamp !== undefined);
    await releaseTarget(context, target);
    expect(await isHeld()).to.equal(false);
  });

  it('does not wait for a snapshot that cannot be taken', async () => {
    await createSnapshot([AS_SOURCE_PROTECTION]);
    await untilCached('the snapshot', () => true);
    await setStatus({ error: { message: 'no such class' }, readyToUse: false });
    await releaseTarget(context, target);
    expect((await snapshot())?.metadata).to.have.property('deletionTimestamp');
  });

  it('waits for nobody longer than half a minute', async () => {
    await createSnapshot([AS_SOURCE_PROTECTION]);
    await untilCached('the snapshot', () => true);
    await releaseTarget({ ...context, now: () => Date.now() + 30_000 }, target);
    expect((await snapshot())?.metadata).to.have.property('deletionTimestamp');
  });

  it('deletes a snapshot that nobody has begun with, but not one that somebody has since', async () => {
    await createSnapshot([]);
    await untilCached('the snapshot', () => true);
    const outdated = withSnapshots(
      caches.snapshots.list().filter(({ metadata }) => metadata?.name === snapshotKey.name),
    );
    await context.client.mergePatch(volumeSnapshots, snapshotKey, { metadata: { finalizers: [AS_SOURCE_PROTECTION] } });
    expect(await rejection(releaseTarget(outdated, target))).to.have.property('reason', 'Conflict');
    expect((await snapshot())?.metadata).not.to.have.property('deletionTimestamp');
    await context.client.mergePatch(volumeSnapshots, snapshotKey, { metadata: { finalizers: null } });
    await untilCached('the snapshot as it was', ({ metadata }) => !metadata?.finalizers);
    await releaseTarget(context, target);
    expect(await snapshot()).to.equal(undefined);
  });

  for (const [code, isFreed] of [
    ['ResourceExhausted', true],
    ['DeadlineExceeded', false],
  ] as const) {
    it(`${isFreed ? 'frees' : 'does not free'} a snapshot of the provisioner whose last word was ${code}`, async () => {
      const { client } = context;
      const name = temporaryClaimName(target.metadata?.uid ?? '');
      await client.create(events, {
        metadata: { namespace: GOLDEN, name: `failed-${count}` },
        involvedObject: { kind: 'PersistentVolumeClaim', namespace: GOLDEN, name },
        type: 'Warning',
        reason: 'ProvisioningFailed',
        message: `failed to provision volume: rpc error: code = ${code} desc = no`,
        lastTimestamp: new Date().toISOString(),
      });
      await createSnapshot([RESTORE_PROTECTION]);
      await untilCached('the snapshot', () => true);
      await setStatus({ readyToUse: true });
      await releaseTarget(context, target);
      await untilCached('the deletion', ({ metadata }) => metadata?.deletionTimestamp !== undefined);
      await releaseTarget(context, target);
      expect((await snapshot()) === undefined, 'whether it is gone').to.equal(isFreed);
      expect(await isHeld()).to.equal(false);
    });
  }

  it('looks again for the volume of a working claim that is not cached yet', async () => {
    const outcome = await rebindVolume(context, target, { namespace: GOLDEN, name: 'working' });
    expect(outcome).to.have.property('after').that.is.greaterThan(0);
  });
});
