import { expect } from 'chai';
import type { ClonePhase } from '../../src/api/clone.ts';
import { type DataVolume, dataVolumes } from '../../src/api/data-volume.ts';
import { volumeCloneSources } from '../../src/api/volume-clone-source.ts';
import { readPhaseTimes } from '../../src/controllers/clone/metrics/phase-times.ts';
import { phaseTimesAnnotation, retainedForAnnotation } from '../../src/controllers/objects/internal-annotations.ts';
import {
  type PersistentVolumeClaim,
  persistentVolumeClaims,
  pods,
  secrets,
  services,
} from '../../src/kube/builtin-resources.ts';
import type { ObjectKey } from '../../src/kube/key.ts';
import { volumeSnapshots } from '../../src/kube/snapshot-resources.ts';
import { temporaryClaimName } from '../../src/protocol/object-names.ts';
import { type ClaimOptions, dataVolume, untilSucceeded } from '../support/data-volumes.ts';
import { diskFile } from '../support/disk-images.ts';
import { eventually } from '../support/eventually.ts';
import type { StorageClasses } from '../support/storage-classes.ts';
import { until } from '../support/until.ts';
import { readVolume, type VolumeContent, writeVolume } from '../support/volume-content.ts';
import { webPath } from '../support/web-server.ts';
import { eventsOf } from './support/events.ts';
import { Started } from './support/started.ts';
import { useSuite } from './support/suite.ts';

type Role = keyof StorageClasses;

interface Clone {
  /** Which of the golden volumes is cloned, and on which class. */
  readonly from: { readonly role: Role; readonly volumeMode?: 'Block' };
  readonly to: { readonly role: Role; readonly namespace: 'same' | 'other' } & ClaimOptions;
  readonly cloneType: 'csi-clone' | 'snapshot' | 'copy';
  readonly fallbackReason?: string;
  /** A phase that it has to go through. */
  readonly phase?: ClonePhase;
}

const immediate = { annotations: { 'cdi.kubevirt.io/storage.bind.immediate.requested': 'true' } };
const direct = { annotations: { 'cdi.kubevirt.io/storage.usePopulator': 'false' } };

const clones: Record<string, Clone> = {
  'by csi-clone': {
    from: { role: 'csiClone' },
    to: { role: 'csiClone', namespace: 'same' },
    cloneType: 'csi-clone',
    phase: 'CSIClone',
  },
  'by csi-clone into another namespace': {
    from: { role: 'csiClone' },
    to: { role: 'csiClone', namespace: 'other' },
    cloneType: 'csi-clone',
  },
  'by csi-clone, a Block volume': {
    from: { role: 'csiClone', volumeMode: 'Block' },
    to: { role: 'csiClone', namespace: 'other', volumeMode: 'Block' },
    cloneType: 'csi-clone',
  },
  'by csi-clone into a larger claim': {
    from: { role: 'csiClone' },
    to: { role: 'csiClone', namespace: 'same', size: '400Mi' },
    cloneType: 'csi-clone',
  },
  'by a snapshot': {
    from: { role: 'snapshot' },
    to: { role: 'snapshot', namespace: 'same' },
    cloneType: 'snapshot',
    phase: 'Snapshot',
  },
  'by a snapshot into another namespace': {
    from: { role: 'snapshot' },
    to: { role: 'snapshot', namespace: 'other' },
    cloneType: 'snapshot',
  },
  'by a snapshot, a Block volume into a larger one': {
    from: { role: 'snapshot', volumeMode: 'Block' },
    to: { role: 'snapshot', namespace: 'other', volumeMode: 'Block', size: '400Mi' },
    cloneType: 'snapshot',
  },
  'by pods': {
    from: { role: 'copy' },
    to: { role: 'copy', namespace: 'same' },
    cloneType: 'copy',
    phase: 'HostClone',
  },
  'by pods into another namespace': {
    from: { role: 'copy' },
    to: { role: 'copy', namespace: 'other' },
    cloneType: 'copy',
  },
  'by pods, a Block volume': {
    from: { role: 'copy', volumeMode: 'Block' },
    to: { role: 'copy', namespace: 'same', volumeMode: 'Block' },
    cloneType: 'copy',
  },
  'a Filesystem volume into a Block one': {
    from: { role: 'csiClone' },
    to: { role: 'csiClone', namespace: 'same', volumeMode: 'Block' },
    cloneType: 'copy',
    fallbackReason: 'IncompatibleVolumeModes',
  },
  'a Block volume into a Filesystem one': {
    from: { role: 'snapshot', volumeMode: 'Block' },
    to: { role: 'snapshot', namespace: 'other', size: '300Mi' },
    cloneType: 'copy',
    fallbackReason: 'IncompatibleVolumeModes',
  },
  'without a populator': {
    from: { role: 'csiClone' },
    to: { role: 'csiClone', namespace: 'other', ...direct },
    cloneType: 'copy',
    fallbackReason: 'NoPopulator',
  },
  'into a class that waits for the first consumer, which was told not to wait': {
    from: { role: 'csiClone' },
    to: { role: 'firstConsumer', namespace: 'same', ...immediate },
    cloneType: 'snapshot',
  },
  'into a local volume': {
    from: { role: 'copy' },
    to: { role: 'local', namespace: 'other', ...immediate },
    cloneType: 'copy',
    fallbackReason: 'NoPopulator',
  },
};

describe('clones', () => {
  const suite = useSuite();
  const started = new Started<{ object: DataVolume; claim: PersistentVolumeClaim; content: VolumeContent }>();
  const golden = new Started<DataVolume>();
  let other = '';

  const goldenName = ({ role, volumeMode }: Clone['from']) =>
    `golden-${role.toLowerCase()}-${(volumeMode ?? 'filesystem').toLowerCase()}`;
  const keyOfClone = (title: string): ObjectKey => ({
    namespace: clones[title]?.to.namespace === 'other' ? other : suite.namespace,
    name: title
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '-')
      .slice(0, 50),
  });
  const possible = ({ from, to }: Clone) => suite.classes[from.role] && suite.classes[to.role];

  before(async () => {
    other = await suite.newNamespace();
    const url = `${suite.web.url}${webPath.plain}/${diskFile.qcow2}`;
    const sources = new Map(Object.values(clones).map(({ from }) => [goldenName(from), from]));
    for (const [name, { role, volumeMode }] of sources) {
      const storageClassName = suite.classes[role];
      if (!storageClassName) continue;
      golden.start(name, async () => {
        const object = dataVolume(suite.key(name), { http: { url } }, { storageClassName, volumeMode });
        await suite.client.create(dataVolumes, object);
        return untilSucceeded(suite.client, suite.key(name), 240_000);
      });
    }
    for (const [title, clone] of Object.entries(clones).filter(([, each]) => possible(each))) {
      started.start(title, () => makeClone(title, clone));
    }
  });

  async function makeClone(title: string, { from, to }: Clone) {
    const { client } = suite;
    const key = keyOfClone(title);
    await golden.outcome(goldenName(from));
    const { role, size, volumeMode, annotations } = to;
    const options = { size, volumeMode, annotations };
    await client.create(
      dataVolumes,
      dataVolume(key, { pvc: suite.key(goldenName(from)) }, { ...options, storageClassName: suite.classes[role] }),
    );
    const object = await untilSucceeded(client, key, 240_000);
    const claim = await client.get(persistentVolumeClaims, key);
    const content = await readVolume(suite, key, suite.disk.virtualSize);
    return { object, claim: claim ?? {}, content };
  }

  for (const [title, clone] of Object.entries(clones)) {
    it(`clones ${title}`, async function () {
      this.timeout(480_000);
      if (!possible(clone)) this.skip();
      const { object, claim, content } = await started.outcome(title);
      expect(content.sha256).to.equal(suite.disk.sha256);
      expect(content.zerosAfter, 'zeros behind the disk').to.be.true;
      const annotations = claim.metadata?.annotations ?? {};
      expect(annotations['cdi.kubevirt.io/cloneType']).to.equal(clone.cloneType);
      expect(annotations['cdi.kubevirt.io/cloneFallbackReason']).to.equal(clone.fallbackReason);
      expect(claim.spec?.resources?.requests?.['storage']).to.equal(clone.to.size ?? '200Mi');
      expect(object.status).to.include({ phase: 'Succeeded', progress: '100.0%', restartCount: 0 });
      const reasons = (await eventsOf(suite.client, object)).map(({ reason }) => reason);
      expect(reasons).to.include('CloneSucceeded');
      const times = readPhaseTimes(annotations[phaseTimesAnnotation]).map(([phase]) => phase);
      if (clone.phase) expect(times).to.include(clone.phase);
      if (clone.fallbackReason) expect(reasons).to.include(clone.fallbackReason);
    });
  }

  it('keeps a clone of a Block volume as large as it was asked for', async () => {
    const { claim } = await started.outcome('by a snapshot, a Block volume into a larger one');
    expect(claim.status?.capacity?.['storage']).to.equal('400Mi');
  });

  it('makes clones that are independent of their source', async function () {
    const title = 'by csi-clone';
    if (!suite.classes.csiClone) this.skip();
    await started.outcome(title);
    const source = suite.key(goldenName({ role: 'csiClone' }));
    await writeVolume(suite, keyOfClone(title), 4096, 'written into the clone');
    const [changed, unchanged] = await Promise.all([
      readVolume(suite, keyOfClone(title), suite.disk.virtualSize),
      readVolume(suite, source, suite.disk.virtualSize),
    ]);
    expect(changed.sha256).to.not.equal(suite.disk.sha256);
    expect(unchanged.sha256).to.equal(suite.disk.sha256);
  });

  it('takes the size from the source where none is given', async () => {
    const key = suite.key('size-of-source');
    const source = suite.key(goldenName({ role: 'csiClone' }));
    await suite.client.create(dataVolumes, {
      apiVersion: 'cdi.kubevirt.io/v1beta1',
      kind: 'DataVolume',
      metadata: key,
      spec: { source: { pvc: source }, storage: { storageClassName: suite.classes.standard } },
    });
    await untilSucceeded(suite.client, key);
    const claim = await suite.client.get(persistentVolumeClaims, key);
    expect(claim?.spec?.resources?.requests?.['storage']).to.equal('200Mi');
  });

  it('clones a VolumeSnapshot into another namespace', async function () {
    const storageClassName = suite.classes.snapshot;
    if (!storageClassName) this.skip();
    const source = goldenName({ role: 'snapshot' });
    await golden.outcome(source);
    const snapshot = suite.key('snapshot-of-golden');
    await suite.client.create(volumeSnapshots, {
      metadata: { ...snapshot },
      spec: { source: { persistentVolumeClaimName: source } },
    });
    const key = { namespace: other, name: 'of-a-snapshot' };
    await suite.client.create(dataVolumes, dataVolume(key, { snapshot }, { storageClassName }));
    await untilSucceeded(suite.client, key);
    expect((await readVolume(suite, key, suite.disk.virtualSize)).sha256).to.equal(suite.disk.sha256);
    expect((await suite.client.get(volumeSnapshots, snapshot))?.status?.readyToUse, 'the source stays').to.be.true;
  });

  it('fills a bare claim that names a VolumeCloneSource', async () => {
    const source = goldenName({ role: 'csiClone' });
    await golden.outcome(source);
    const key = suite.key('bare-claim');
    await suite.client.create(volumeCloneSources, {
      apiVersion: 'cdi.kubevirt.io/v1beta1',
      kind: 'VolumeCloneSource',
      metadata: suite.key('clone-source'),
      spec: { source: { kind: 'PersistentVolumeClaim', name: source } },
    });
    await suite.client.create(persistentVolumeClaims, {
      metadata: { ...key },
      spec: {
        accessModes: ['ReadWriteOnce'],
        storageClassName: suite.classes.standard,
        resources: { requests: { storage: '200Mi' } },
        dataSourceRef: { apiGroup: 'cdi.kubevirt.io', kind: 'VolumeCloneSource', name: 'clone-source' },
      },
    });
    await until(suite.client, persistentVolumeClaims, key, 'it is bound', (claim) => claim?.status?.phase === 'Bound');
    expect((await readVolume(suite, key, suite.disk.virtualSize)).sha256).to.equal(suite.disk.sha256);
  });

  it('waits while a pod may write to the source, says so, and goes on when the pod is gone', async () => {
    const { client } = suite;
    const source = goldenName({ role: 'csiClone' });
    await golden.outcome(source);
    const pod = suite.key('writer');
    await client.create(pods, writerPod(pod, source));
    await until(client, pods, pod, 'it runs', (found) => found?.status?.phase === 'Running');
    const key = { namespace: other, name: 'of-a-source-in-use' };
    await client.create(
      dataVolumes,
      dataVolume(key, { pvc: suite.key(source) }, { storageClassName: suite.classes.csiClone }),
    );
    const waiting = await until(client, dataVolumes, key, 'it says that the source is in use', (object) =>
      object?.status?.conditions?.find(({ reason }) => reason === 'CloneSourceInUse'),
    );
    expect(waiting.message).to.contain('"writer"');
    await client.delete(pods, pod, { gracePeriodSeconds: 0 });
    await untilSucceeded(client, key);
  });

  it('keeps the pod of a copy where that is asked for, until the clone is deleted', async function () {
    this.timeout(240_000);
    const { client } = suite;
    const storageClassName = suite.classes.copy;
    const source = goldenName({ role: 'copy' });
    await golden.outcome(source);
    const annotations = { 'cdi.kubevirt.io/storage.pod.retainAfterCompletion': 'true' };
    const keys = [suite.key('retaining'), { namespace: other, name: 'retaining' }];
    const podsOf = async ({ metadata }: PersistentVolumeClaim) => {
      const uid = metadata?.uid ?? '';
      const all = await client.list(pods, { namespace: suite.namespace });
      return all.filter(
        (pod) =>
          pod.metadata?.annotations?.[retainedForAnnotation] === uid ||
          pod.metadata?.ownerReferences?.some((owner) => owner.uid === uid),
      );
    };
    const claims = await Promise.all(
      keys.map(async (key) => {
        await client.create(
          dataVolumes,
          dataVolume(key, { pvc: suite.key(source) }, { storageClassName, annotations }),
        );
        await untilSucceeded(client, key, 180_000);
        const claim = (await client.get(persistentVolumeClaims, key)) ?? {};
        const working = { namespace: suite.namespace, name: temporaryClaimName(claim.metadata?.uid ?? '') };
        await until(client, persistentVolumeClaims, working, 'the working claim is gone', (found) => !found);
        return claim;
      }),
    );
    for (const [index, claim] of claims.entries()) {
      // A pod is told to have ended seconds after its container.
      await eventually(`the pod is there, of ${keys[index]?.namespace}`, async () => {
        const found = await podsOf(claim);
        const roles = found.map(({ spec, status }) => `${spec?.containers[0]?.name} ${status?.phase}`).sort();
        expect(roles).to.deep.equal(['copy-volume Succeeded']);
        return true;
      });
    }
    for (const key of keys) await client.delete(dataVolumes, key);
    for (const claim of claims) {
      await eventually('the pods are gone', async () => ((await podsOf(claim)).length === 0 ? true : undefined));
    }
  });

  it('refuses a target that is smaller than the source', async () => {
    const key = suite.key('too-small');
    const source = goldenName({ role: 'csiClone' });
    await golden.outcome(source);
    await suite.client.create(
      dataVolumes,
      dataVolume(key, { pvc: suite.key(source) }, { storageClassName: suite.classes.csiClone, size: '100Mi' }),
    );
    const failed = await until(suite.client, dataVolumes, key, 'it fails', (object) =>
      object?.status?.phase === 'Failed' ? object : undefined,
    );
    expect(failed.status?.conditions?.find(({ type }) => type === 'Running')?.message).to.match(/less than the 200/);
  });

  it('leaves nothing behind', async function () {
    this.timeout(120_000);
    for (const title of Object.keys(clones)) {
      await started.outcome(title).catch(() => undefined);
    }
    for (const namespace of [suite.namespace, other]) {
      const gone = async (what: string, names: () => Promise<string[]>) => {
        const deadline = performance.now() + 30_000;
        let left = await names();
        while (left.length > 0 && performance.now() < deadline) left = await names();
        expect(left, what).to.deep.equal([]);
      };
      const selection = { namespace, labelSelector: 'app=containerized-data-importer' };
      const namesOf = (objects: { metadata?: { name?: string | undefined } }[]) =>
        objects.map(({ metadata }) => metadata?.name ?? '');
      await gone('pods', async () => namesOf(await suite.client.list(pods, selection)));
      await gone('services', async () => namesOf(await suite.client.list(services, selection)));
      await gone('secrets', async () => namesOf(await suite.client.list(secrets, selection)));
      await gone('snapshots', async () => namesOf(await suite.client.list(volumeSnapshots, selection)));
      await gone('claims', async () =>
        namesOf(await suite.client.list(persistentVolumeClaims, { namespace })).filter((name) =>
          /^(tmp|prime)-/.test(name),
        ),
      );
    }
  });

  function writerPod(key: ObjectKey, claimName: string) {
    return {
      metadata: { ...key },
      spec: {
        terminationGracePeriodSeconds: 0,
        securityContext: {
          runAsNonRoot: true,
          runAsUser: 107,
          fsGroup: 107,
          seccompProfile: { type: 'RuntimeDefault' },
        },
        containers: [
          {
            name: 'writer',
            image: suite.image,
            imagePullPolicy: 'IfNotPresent',
            command: ['sleep', '600'],
            securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
            volumeMounts: [{ name: 'volume', mountPath: '/volume' }],
          },
        ],
        volumes: [{ name: 'volume', persistentVolumeClaim: { claimName } }],
      },
    };
  }
});
