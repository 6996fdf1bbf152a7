import { KubeConfig } from '@kubernetes/client-node';
import { expect } from 'chai';
import { dataVolumes, type DataVolumeSpec } from '../../src/api/data-volume.ts';
import { handedToAnnotation } from '../../src/controllers/objects/internal-annotations.ts';
import {
  type PersistentVolume,
  persistentVolumeClaims,
  persistentVolumes,
  storageClasses,
} from '../../src/kube/builtin-resources.ts';
import type { ObjectKey } from '../../src/kube/key.ts';
import { volumeSnapshotClasses, volumeSnapshotContents, volumeSnapshots } from '../../src/kube/snapshot-resources.ts';
import { primeClaimName } from '../../src/protocol/object-names.ts';
import { controlNodeComponent, driverName } from '../cluster/index.ts';
import { dataVolume, untilSucceeded } from '../support/data-volumes.ts';
import { diskFile } from '../support/disk-images.ts';
import { eventually } from '../support/eventually.ts';
import { clientAs } from '../support/impersonation.ts';
import { removeNamespace } from '../support/namespaces.ts';
import { mayDo } from '../support/rights.ts';
import { until } from '../support/until.ts';
import { webPath } from '../support/web-server.ts';
import { MortalControllers } from './crash/mortal-controllers.ts';
import { entriesOfDriver } from './support/driver-storage.ts';
import { hasOwnDriver, ownClass } from './support/own-classes.ts';
import { untilAllRemoved } from './support/removals.ts';
import { begin, makeGolden, type Stage, stages } from './support/stages.ts';
import { useSuite } from './support/suite.ts';
import { tracesIn, untilNothingElse } from './support/traces.ts';
import { makeClaim } from './support/volumes.ts';

const SNAPSHOTS = 'retained-snapshots';
const classes = {
  standard: 'retained',
  csiClone: 'retained',
  snapshot: 'retained-by-snapshot',
  copy: 'retained-by-copy',
  firstConsumer: undefined,
  local: undefined,
} as const;
const names: readonly string[] = [...new Set(Object.values(classes).filter((name) => name !== undefined))];

/** The stages in whose middle something temporary is in the storage. */
const middles = [
  'an import',
  'a csi-clone',
  'the snapshot of a clone',
  'the restore of a snapshot',
  'the rebinding of a volume',
  'a host-assisted clone',
];

describe('storage classes that retain', function () {
  this.timeout(300_000);
  const suite = useSuite();
  const retaining = () => ({ ...suite, classes });
  const golden = new Map<keyof typeof classes, ObjectKey>();
  let goldenSnapshot!: ObjectKey;

  before(async function () {
    // Another cluster's driver does not show what it holds.
    if (!hasOwnDriver(suite)) this.skip();
    const { client } = suite;
    await client.apply(
      volumeSnapshotClasses,
      { metadata: { name: SNAPSHOTS }, driver: driverName, deletionPolicy: 'Retain' },
      { fieldManager: 'diskpress-test' },
    );
    const options = { reclaimPolicy: 'Retain', snapshotClass: SNAPSHOTS } as const;
    await ownClass(suite, classes.csiClone, {}, 'csi-clone', options);
    await ownClass(suite, classes.snapshot, {}, 'snapshot', options);
    await ownClass(suite, classes.copy, {}, 'copy', options);
    const roles = ['standard', 'csiClone', 'snapshot', 'copy'] as const;
    await Promise.all(roles.map(async (role) => golden.set(role, await makeGolden(retaining(), role))));
    goldenSnapshot = suite.key('golden-snapshot');
    await client.create(volumeSnapshots, {
      metadata: { ...goldenSnapshot },
      spec: {
        source: { persistentVolumeClaimName: golden.get('copy')?.name ?? '' },
        volumeSnapshotClassName: SNAPSHOTS,
      },
    });
    await until(client, volumeSnapshots, goldenSnapshot, 'it is ready', (found) => found?.status?.readyToUse);
  });

  // What their users had retained does not go with the namespaces.
  after(async () => {
    await untilAllRemoved();
    const { client } = suite;
    const volumes = (await client.list(persistentVolumes)).filter(isOfClass);
    for (const { metadata } of volumes) await discard(metadata?.name ?? '');
    const contents = (await client.list(volumeSnapshotContents)).filter(
      ({ spec }) => spec.volumeSnapshotClassName === SNAPSHOTS,
    );
    for (const { metadata } of contents)
      await client.delete(volumeSnapshotContents, { namespace: '', name: metadata?.name ?? '' });
    for (const name of names) await client.delete(storageClasses, { namespace: '', name });
    await client.delete(volumeSnapshotClasses, { namespace: '', name: SNAPSHOTS });
  });

  const isOfClass = ({ spec }: PersistentVolume) => names.includes(spec?.storageClassName ?? '');
  const discard = (name: string) =>
    suite.client.mergePatch(
      persistentVolumes,
      { namespace: '', name },
      { spec: { persistentVolumeReclaimPolicy: 'Delete' } },
    );
  /** A volume that has been handed over is the user's, and goes by the user's hand. */
  const discardUsers = async ({ namespace, name }: ObjectKey) => {
    for (const { metadata, spec } of await suite.client.list(persistentVolumes))
      if (spec?.claimRef?.namespace === namespace && spec.claimRef.name === name) await discard(metadata?.name ?? '');
  };
  const claimOf = (key: ObjectKey) => suite.client.get(persistentVolumeClaims, key);

  function stageOf(title: string): Stage {
    const stage = stages[title];
    if (!stage) throw new Error(`there is no stage ${title}`);
    return stage;
  }

  /** What there is in these namespaces and in the driver's storage. */
  async function stateOf(namespaces: readonly string[]) {
    return { namespaces, traces: await tracesIn(suite.client, namespaces), entries: await entriesOfDriver() };
  }

  async function untilAsBefore(before: Awaited<ReturnType<typeof stateOf>>): Promise<void> {
    await untilNothingElse(suite.client, before.namespaces, before.traces);
    expect((await entriesOfDriver()).filter((entry) => !before.entries.includes(entry))).to.deep.equal([]);
  }

  const fillings: Record<string, () => { role: keyof typeof classes; source: DataVolumeSpec['source'] }> = {
    'an import': () => ({
      role: 'standard',
      source: { http: { url: `${suite.web.url}${webPath.plain}/${diskFile.qcow2}` } },
    }),
    'a csi-clone': () => ({ role: 'csiClone', source: { pvc: golden.get('csiClone') } }),
    'a clone by snapshot': () => ({ role: 'snapshot', source: { pvc: golden.get('snapshot') } }),
    'a copy': () => ({ role: 'copy', source: { pvc: golden.get('copy') } }),
    'a copy of a snapshot': () => ({ role: 'copy', source: { snapshot: goldenSnapshot } }),
  };

  for (const [title, filling] of Object.entries(fillings)) {
    it(`keep what ${title} has brought, when its claim is deleted, and nothing besides`, async () => {
      const { client } = suite;
      const { role, source } = filling();
      const namespace = await suite.newNamespace();
      const before = await stateOf([suite.namespace, namespace]);
      const key = { namespace, name: 'kept' };
      await client.create(dataVolumes, dataVolume(key, source, { storageClassName: classes[role] }));
      await untilSucceeded(client, key, 240_000);
      const volume = { namespace: '', name: (await claimOf(key))?.spec?.volumeName ?? '' };
      await client.delete(dataVolumes, key);
      const kept = await until(client, persistentVolumes, volume, 'it is released', (found) => {
        return found?.status?.phase === 'Released' && found;
      });
      expect(kept.spec?.persistentVolumeReclaimPolicy).to.equal('Retain');
      const marks = Object.keys(kept.metadata?.annotations ?? {}).filter((name) => name.startsWith('cdi.'));
      // It says whose data it holds, and nothing else is left of the rebinding.
      expect(marks).to.deep.equal([handedToAnnotation]);
      const allowed = [...before.traces, `PersistentVolume /${volume.name}`];
      await untilNothingElse(client, before.namespaces, allowed);
      expect((await entriesOfDriver()).filter((entry) => !before.entries.includes(entry))).to.deep.equal([volume.name]);
      await discard(volume.name);
      await untilAsBefore(before);
    });
  }

  it('keep nothing of an import that has failed', async () => {
    const { client } = suite;
    const before = await stateOf([suite.namespace]);
    const key = suite.key('failing');
    const source = { http: { url: `${suite.web.url}${webPath.plain}/missing.qcow2` } };
    await client.create(dataVolumes, dataVolume(key, source, { storageClassName: classes.standard }));
    await until(client, dataVolumes, key, 'it has failed', (found) => found?.status?.phase === 'Failed');
    await client.delete(dataVolumes, key);
    await untilAsBefore(before);
  });

  for (const title of middles) {
    it(`keep nothing of what is deleted in the middle of ${title}`, async () => {
      const stage = stageOf(title);
      const before = await stateOf([suite.namespace, await suite.newNamespace()]);
      const key = { namespace: before.namespaces[1] ?? '', name: 'to-be-deleted' };
      await begin(retaining(), key, stage, golden.get(stage.role) as ObjectKey);
      await suite.client.delete(dataVolumes, key);
      await until(suite.client, persistentVolumeClaims, key, 'it is gone', (claim) => claim === undefined);
      await discardUsers(key);
      await untilAsBefore(before);
    });
  }

  describe('keep nothing of a namespace that is deleted', () => {
    let state!: Awaited<ReturnType<typeof stateOf>>;
    const gone = new Map<string, Promise<void>>();

    // To delete a namespace takes Kubernetes long, and no longer for several.
    before(async () => {
      const namespaces = await Promise.all(middles.map(suite.newNamespace));
      state = await stateOf([suite.namespace, ...namespaces]);
      for (const [index, title] of middles.entries()) {
        const key = { namespace: namespaces[index] ?? '', name: 'to-be-deleted' };
        const stage = stageOf(title);
        await begin(retaining(), key, stage, golden.get(stage.role) as ObjectKey);
        const removal = removeNamespace(suite.client, key.namespace).then(() => discardUsers(key));
        removal.catch(() => undefined);
        gone.set(title, removal);
      }
    });

    for (const title of middles) it(`in the middle of ${title}`, () => gone.get(title));

    it('in any of them', async () => {
      await Promise.all(gone.values());
      const isLasting = (trace: string) => !state.namespaces.slice(1).some((name) => trace.includes(` ${name}/`));
      await untilAsBefore({ ...state, traces: state.traces.filter(isLasting) });
    });
  });

  it('keep a volume that was there before, and that a tenant has had an import be bound to', async () => {
    const { client, kubectl, kubeConfigPath, namespace } = suite;
    await kubectl.run('-n', namespace, 'create', 'rolebinding', 'edit', '--clusterrole=edit', '--user=tenant');
    const tenant = clientAs(kubeConfigPath, 'tenant');
    const patching = { verb: 'patch', group: '', resource: 'persistentvolumeclaims', namespace };
    await eventually('the tenant may change claims', () => mayDo(tenant, patching));
    const volume = await releasedVolume('precious');
    const before = await stateOf([namespace]);
    const key = suite.key('taking-it');
    // Nothing is made for the working claim meanwhile.
    await controlNodeComponent('stop', 'csi-provisioner');
    try {
      const source = { http: { url: `${suite.web.url}${webPath.slow}/${diskFile.qcow2}` } };
      await client.create(dataVolumes, dataVolume(key, source, { storageClassName: classes.standard }));
      const target = await until(client, persistentVolumeClaims, key, 'it is there', (claim) => claim);
      const prime = suite.key(primeClaimName(target.metadata?.uid ?? ''));
      await until(client, persistentVolumeClaims, prime, 'it is there', (claim) => claim);
      // Free for the working claim alone: Kubernetes would bind any claim to it.
      const claimRef = { ...prime, uid: null as never, resourceVersion: null as never };
      await client.mergePatch(persistentVolumes, volume, { spec: { claimRef } });
      await until(client, persistentVolumes, volume, 'it is free', (found) => found?.status?.phase === 'Available');
      await tenant.mergePatch(persistentVolumeClaims, prime, { spec: { volumeName: volume.name } });
      await until(client, persistentVolumeClaims, prime, 'it is bound', (claim) => claim?.status?.phase === 'Bound');
      await client.delete(dataVolumes, key);
      await until(client, persistentVolumeClaims, prime, 'it is gone', (claim) => claim === undefined);
    } finally {
      await controlNodeComponent('start', 'csi-provisioner');
      await tenant.close();
    }
    const kept = await until(client, persistentVolumes, volume, 'it is released', (found) => {
      return found?.status?.phase === 'Released' && found;
    });
    expect(kept.spec?.persistentVolumeReclaimPolicy).to.equal('Retain');
    await untilAsBefore(before);
    expect(await entriesOfDriver()).to.include(volume.name);
  });

  /** A volume with data of somebody's, whose claim is gone. */
  async function releasedVolume(of: string): Promise<ObjectKey> {
    const { client } = suite;
    const claim = suite.key(of);
    await makeClaim(suite, claim, { storageClassName: classes.standard, size: '200Mi' });
    const name = await until(client, persistentVolumeClaims, claim, 'it is bound', (found) => {
      return found?.status?.phase === 'Bound' && found.spec?.volumeName;
    });
    await client.delete(persistentVolumeClaims, claim);
    const volume = { namespace: '', name };
    await until(client, persistentVolumes, volume, 'it is released', (found) => found?.status?.phase === 'Released');
    return volume;
  }

  describe('where the controllers die after whatever they write on volumes and contents, and delete', () => {
    before(() => scaleInstalledController(0));
    after(() => scaleInstalledController(1));

    for (const ending of ['which succeeds', 'which is deleted in its middle'] as const) {
      for (const [title, filling] of Object.entries(fillings)) {
        it(`keep nothing but what users have, of ${title} ${ending}`, async () => {
          const { client } = suite;
          const { role, source } = filling();
          const before = await stateOf([suite.namespace]);
          const key = suite.key('interrupted');
          const died = new Set<string>();
          const controllers = new MortalControllers(kubeConfigOf(), suite.image, ({ method, path }) => {
            const isRisky = method === 'DELETE' || /\/(persistentvolumes|volumesnapshotcontents)\//.test(path);
            const isFirst = isRisky && !died.has(`${method} ${path}`);
            if (isFirst) died.add(`${method} ${path}`);
            return !isFirst;
          });
          try {
            await client.create(dataVolumes, dataVolume(key, source, { storageClassName: classes[role] }));
            if (ending === 'which succeeds') {
              await untilSucceeded(client, key, 240_000);
              const { volumeName: name = '' } = (await claimOf(key))?.spec ?? {};
              const volume = await client.get(persistentVolumes, { namespace: '', name });
              expect(volume?.spec?.persistentVolumeReclaimPolicy).to.equal('Retain');
            } else {
              const target = await until(client, persistentVolumeClaims, key, 'it is there', (claim) => claim);
              await eventually('something temporary has a volume', async () => {
                const volumes = (await client.list(persistentVolumes)).filter(isOfClass);
                return volumes.some(({ spec }) => spec?.claimRef?.name?.includes(target.metadata?.uid ?? ''));
              });
            }
            await client.delete(dataVolumes, key);
            await until(client, persistentVolumeClaims, key, 'it is gone', (claim) => claim === undefined);
            await discardUsers(key);
            await untilAsBefore(before);
          } finally {
            await controllers.stop();
          }
          expect(controllers.deaths, 'how often the controllers died').to.be.greaterThan(0);
        });
      }
    }
  });

  function kubeConfigOf(): KubeConfig {
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromFile(suite.kubeConfigPath);
    return kubeConfig;
  }

  async function scaleInstalledController(replicas: number): Promise<void> {
    await suite.kubectl.run('--namespace=cdi', 'scale', 'deployment/cdi-deployment', `--replicas=${replicas}`);
    if (replicas > 0) await suite.kubectl.run('--namespace=cdi', 'rollout', 'status', 'deployment/cdi-deployment');
    else {
      const selector = '--selector=cdi.kubevirt.io=cdi-deployment';
      await suite.kubectl.run('--namespace=cdi', 'wait', '--for=delete', 'pod', selector, '--timeout=60s');
    }
  }
});
