import { expect } from 'chai';
import { dataVolumes, type DataVolumeSpec } from '../../src/api/data-volume.ts';
import { csiDrivers, persistentVolumeClaims, pods, storageClasses } from '../../src/kube/builtin-resources.ts';
import type { ObjectKey } from '../../src/kube/key.ts';
import { volumeSnapshots } from '../../src/kube/snapshot-resources.ts';
import { type SecondDriver, startSecondDriver } from '../cluster/index.ts';
import { type ClaimOptions, dataVolume, untilSucceeded } from '../support/data-volumes.ts';
import { diskFile } from '../support/disk-images.ts';
import { untilDriverIsEmpty } from '../support/second-storage.ts';
import type { StorageClasses } from '../support/storage-classes.ts';
import { until } from '../support/until.ts';
import { podWithVolume } from '../support/volume-content.ts';
import { webPath } from '../support/web-server.ts';
import { hasOwnDriver } from './support/own-classes.ts';
import { Started } from './support/started.ts';
import { useSuite } from './support/suite.ts';
import { warningsIn } from './support/warnings.ts';

type Role = keyof StorageClasses | 'second';

interface Work {
  readonly source: 'http' | 'registry' | 'blank' | 'taken snapshot' | Role;
  /** Where the source is. */
  readonly elsewhere?: true;
  readonly to: Role;
  readonly claim?: ClaimOptions;
  /** Whether a pod mounts the claim from the beginning, as the first consumer. */
  readonly awaited?: true;
}

const SECOND_CLASS = 'quiet-second-driver';
const TAKEN = 'taken';
const TOGETHER = 50;
const immediate = { annotations: { 'cdi.kubevirt.io/storage.bind.immediate.requested': 'true' } };
const direct = { annotations: { 'cdi.kubevirt.io/storage.usePopulator': 'false' } };
const larger = { size: '400Mi' };

const works: Readonly<Record<string, Work>> = {
  'http-import': { source: 'http', to: 'standard' },
  'http-import-into-block': { source: 'http', to: 'standard', claim: { volumeMode: 'Block' } },
  'http-import-second-driver': { source: 'http', to: 'second' },
  'registry-import': { source: 'registry', to: 'standard' },
  'direct-import': { source: 'http', to: 'standard', claim: direct },
  'import-that-waits-for-a-consumer': { source: 'http', to: 'firstConsumer', awaited: true },
  'import-that-does-not-wait': { source: 'http', to: 'firstConsumer', claim: immediate },
  blank: { source: 'blank', to: 'standard' },
  'blank-second-driver': { source: 'blank', to: 'second' },
  'csi-clone': { source: 'csiClone', to: 'csiClone' },
  'csi-clone-elsewhere': { source: 'csiClone', elsewhere: true, to: 'csiClone' },
  'csi-clone-that-grows': { source: 'csiClone', to: 'csiClone', claim: larger },
  'csi-clone-elsewhere-that-grows': { source: 'csiClone', elsewhere: true, to: 'csiClone', claim: larger },
  'csi-clone-second-driver': { source: 'second', to: 'second' },
  'csi-clone-second-driver-elsewhere': { source: 'second', elsewhere: true, to: 'second' },
  'snapshot-clone': { source: 'snapshot', to: 'snapshot' },
  'snapshot-clone-elsewhere': { source: 'snapshot', elsewhere: true, to: 'snapshot' },
  'snapshot-clone-that-grows': { source: 'snapshot', to: 'snapshot', claim: larger },
  'snapshot-clone-that-waits': { source: 'csiClone', to: 'firstConsumer', awaited: true },
  'snapshot-restore': { source: 'taken snapshot', to: 'snapshot' },
  'snapshot-restore-elsewhere': { source: 'taken snapshot', elsewhere: true, to: 'snapshot' },
  'copy-of-a-snapshot': { source: 'taken snapshot', to: 'copy' },
  'copy-beside': { source: 'copy', to: 'copy' },
  'copy-elsewhere': { source: 'copy', elsewhere: true, to: 'copy' },
  'direct-copy-elsewhere': { source: 'copy', elsewhere: true, to: 'copy', claim: direct },
  'copy-to-the-second-driver': { source: 'csiClone', to: 'second' },
  'copy-from-the-second-driver': { source: 'second', elsewhere: true, to: 'standard' },
};

describe('what succeeds', function () {
  this.timeout(900_000);
  const suite = useSuite();
  let second: SecondDriver | undefined;
  let golden = '';

  before(function () {
    if (!hasOwnDriver(suite)) this.skip();
  });
  before(async () => {
    second = await startSecondDriver();
    golden = await suite.newNamespace();
    const fieldManager = 'diskpress-test';
    const spec = { attachRequired: false, podInfoOnMount: false, fsGroupPolicy: 'File' };
    await suite.client.apply(csiDrivers, { metadata: { name: second.name }, spec }, { fieldManager });
    const metadata = { name: SECOND_CLASS, annotations: { 'cdi.kubevirt.io/clone-strategy': 'csi-clone' } };
    await suite.client.apply(storageClasses, { metadata, provisioner: second.name }, { fieldManager });
    for (const namespace of [suite.namespace, golden]) {
      const roles = ['csiClone', 'snapshot', 'copy', 'second'] as const;
      await Promise.all(roles.map((role) => make(goldenKey(role, namespace), { source: 'http', to: role })));
      const persistentVolumeClaimName = goldenKey('snapshot', namespace).name;
      await suite.client.create(volumeSnapshots, {
        metadata: { namespace, name: TAKEN },
        spec: { source: { persistentVolumeClaimName } },
      });
    }
  });
  after(async () => {
    if (!second) return;
    await untilDriverIsEmpty(suite.client, second.name);
    await suite.client.delete(storageClasses, { namespace: '', name: SECOND_CLASS });
    await suite.client.delete(csiDrivers, { namespace: '', name: second.name });
    await second.stop();
  });

  const goldenKey = (role: Role, namespace: string): ObjectKey => ({ namespace, name: `golden-${role.toLowerCase()}` });
  const classOf = (role: Role) => (role === 'second' ? SECOND_CLASS : suite.classes[role]);

  function sourceOf({ source, elsewhere }: Work): DataVolumeSpec['source'] {
    const namespace = elsewhere ? golden : suite.namespace;
    switch (source) {
      case 'http':
        return { http: { url: `${suite.web.url}${webPath.plain}/${diskFile.qcow2}` } };
      case 'registry':
        return { registry: { url: `docker://${suite.registry.host}/golden/disk:gzip` } };
      case 'blank':
        return { blank: {} };
      case 'taken snapshot':
        return { snapshot: { namespace, name: TAKEN } };
      default:
        return { pvc: goldenKey(source, namespace) };
    }
  }

  /** Fills a claim, and has a pod mount it, as a virtual machine would. */
  async function make(key: ObjectKey, work: Work): Promise<void> {
    const { client } = suite;
    const claim = { ...work.claim, storageClassName: classOf(work.to) };
    const block = work.claim?.volumeMode === 'Block';
    const consumer = podWithVolume(suite, key, { claim: key.name, block, command: ['true'], writable: true });
    await client.create(dataVolumes, dataVolume(key, sourceOf(work), claim));
    if (work.awaited) {
      // Kubernetes warns of a pod whose claim is not there yet.
      await until(client, persistentVolumeClaims, key, 'it is there', Boolean);
      await client.create(pods, consumer);
    }
    await untilSucceeded(client, key, 600_000);
    if (!work.awaited) await client.create(pods, consumer);
    await until(client, pods, key, 'it has ended', (pod) => pod?.status?.phase === 'Succeeded');
    await client.delete(pods, key, { gracePeriodSeconds: 0 });
  }

  const warnings = () => warningsIn(suite.client, [suite.namespace, golden]);

  it('leaves no Warning event behind, neither of ours nor of Kubernetes', async () => {
    const made = new Started<void>();
    for (const [name, work] of Object.entries(works)) made.start(name, () => make(suite.key(name), work));
    for (const name of Object.keys(works)) await made.outcome(name);
    expect(await warnings()).to.deep.equal([]);
  });

  it(`leaves none behind either, ${TOGETHER} at once`, async () => {
    const kinds = Object.entries(works);
    const chosen = Array.from({ length: TOGETHER }, (_, index) => kinds[index % kinds.length] ?? kinds[0]!);
    await Promise.all(chosen.map(([name, work], index) => make(suite.key(`${name}-${index}`), work)));
    expect(await warnings()).to.deep.equal([]);
  });
});
