import { expect } from 'chai';
import { dataVolumes, type DataVolumeSpec } from '../../src/api/data-volume.ts';
import { storageProfiles } from '../../src/api/storage-profile.ts';
import { persistentVolumeClaims, persistentVolumes, pods } from '../../src/kube/builtin-resources.ts';
import type { ObjectKey } from '../../src/kube/key.ts';
import { volumeSnapshots } from '../../src/kube/snapshot-resources.ts';
import { clusterName } from '../cluster/identity.ts';
import { down } from '../cluster/index.ts';
import { dataVolume, untilSucceeded } from '../support/data-volumes.ts';
import { type Environment, prepareAnotherCluster } from '../support/environment.ts';
import { eventually } from '../support/eventually.ts';
import { createNamespace } from '../support/namespaces.ts';
import { until } from '../support/until.ts';
import { eventsOf } from './support/events.ts';
import { LARGE_DATA, makeLargeVolume, sumOfLargeVolume } from './support/large-volumes.ts';
import { tracesIn, untilNothingElse } from './support/traces.ts';
import { observeCopy, SentData, transferPodsOf } from './support/transfer-pods.ts';
import { makeClaim, runInVolume } from './support/volumes.ts';

const log = (line: string) => console.log(`    ${line}`);

/** Volumes of this class are reached from one node only. */
const NODE_CLASS = 'diskpress-node';
const CONTENT = 'the content of a golden disk';

describe('a cluster of two nodes', function () {
  this.timeout(300_000);
  const name = `${clusterName()}-nodes`;
  let environment!: Environment;
  let namespace = '';
  const keyOf = (object: string): ObjectKey => ({ namespace, name: object });

  before(async function () {
    this.timeout(0);
    if (process.env.DISKPRESS_NODES !== '2') this.skip();
    environment = await prepareAnotherCluster({ name, nodes: 2, log });
    namespace = await createNamespace(environment.client, { prefix: 'e2e' });
  });

  after(async () => {
    if (environment) await down(log, name);
  });

  it('finishes a copy whose node is drained in the middle of it, on the other one', async () => {
    const { client, kubectl, classes } = environment;
    const source = keyOf('large');
    await makeLargeVolume(environment, source, 'disk', { storageClassName: classes.copy });
    const sum = await sumOfLargeVolume(environment, source, 'disk');
    // From another namespace and without a working claim, which takes two pods, and long enough.
    const other = await createNamespace(client, { prefix: 'e2e' });
    const before = await tracesIn(client, [namespace, other]);
    const key = { namespace: other, name: 'drained' };
    const annotations = { 'cdi.kubevirt.io/storage.usePopulator': 'false' };
    const options = { storageClassName: classes.copy, size: '800Mi', annotations };
    await client.create(dataVolumes, dataVolume(key, { pvc: source }, options));
    const found = await transferPodsOf(client, key, source, { direct: true });
    const sent = new SentData();
    await eventually('half of it is copied', async () => (await observeCopy(client, found, sent)) > 50, 120_000);
    const node = (await client.get(pods, found.source))?.spec?.nodeName ?? '';
    await kubectl.run('drain', node, '--ignore-daemonsets', '--delete-emptydir-data', '--force');
    try {
      await eventually(
        'the copy is over',
        async () => {
          await observeCopy(client, found, sent);
          const phase = (await client.get(dataVolumes, key))?.status?.phase;
          return phase === 'Succeeded' || phase === 'Failed';
        },
        180_000,
      );
      await untilSucceeded(client, key);
      expect(await sumOfLargeVolume(environment, key, 'disk')).to.equal(sum);
      expect(sent.total).to.be.lessThan(1.5 * LARGE_DATA);
    } finally {
      await kubectl.run('uncordon', node);
    }
    await client.delete(dataVolumes, key);
    await untilNothingElse(client, [namespace, other], before);
  });

  describe('and storage that only one of them reaches', () => {
    const source = { key: { namespace: '', name: 'golden' }, snapshot: { namespace: '', name: 'golden' } };

    before(async () => {
      source.key = keyOf('golden');
      source.snapshot = keyOf('golden');
      await makeClaim(environment, source.key, { storageClassName: NODE_CLASS, size: '100Mi' });
      const text = `printf %s '${CONTENT}' > /volume/disk.img; truncate -s 64M /volume/disk.img`;
      await runInVolume(environment, source.key, { text, writable: true, nodeName: 'node1' });
      await environment.client.create(volumeSnapshots, {
        metadata: { ...source.snapshot },
        spec: { source: { persistentVolumeClaimName: source.key.name } },
      });
      await until(environment.client, volumeSnapshots, source.snapshot, 'it is ready', (it) => it?.status?.readyToUse);
    });

    const consumers: Record<string, readonly ['node1' | 'node2', 'csi-clone' | 'snapshot', 'pvc' | 'snapshot']> = {
      'by csi-clone for a consumer beside it': ['node1', 'csi-clone', 'pvc'],
      'by a copy where csi-clone would not get it to the consumer': ['node2', 'csi-clone', 'pvc'],
      'by a snapshot for a consumer beside it': ['node1', 'snapshot', 'pvc'],
      'by a copy where a snapshot would not get it to the consumer': ['node2', 'snapshot', 'pvc'],
      'from a snapshot for a consumer beside it': ['node1', 'snapshot', 'snapshot'],
      'by a copy where the source is a snapshot that is out of reach': ['node2', 'snapshot', 'snapshot'],
    };

    Object.entries(consumers).forEach(([title, [nodeName, strategy, kind]], index) => {
      it(`clones ${title}`, async () => {
        const { client } = environment;
        await chooseStrategy(strategy);
        const before = await tracesIn(client, [namespace]);
        const key = keyOf(`clone-${index}`);
        const from: DataVolumeSpec['source'] = kind === 'pvc' ? { pvc: source.key } : { snapshot: source.snapshot };
        await client.create(dataVolumes, dataVolume(key, from, { storageClassName: NODE_CLASS, size: '100Mi' }));
        const text = `head -c ${CONTENT.length} /volume/disk.img`;
        expect(await runInVolume(environment, key, { text, nodeName })).to.equal(CONTENT);
        const object = await untilSucceeded(client, key);
        const claim = await client.get(persistentVolumeClaims, key);
        const annotations = claim?.metadata?.annotations ?? {};
        const reason = nodeName === 'node1' ? undefined : 'IncompatibleTopology';
        expect(annotations['cdi.kubevirt.io/cloneType']).to.equal(reason ? 'copy' : strategy);
        expect(annotations['cdi.kubevirt.io/cloneFallbackReason']).to.equal(reason);
        const volume = await client.get(persistentVolumes, { namespace: '', name: claim?.spec?.volumeName ?? '' });
        expect(JSON.stringify(volume?.spec?.nodeAffinity)).to.include(nodeName);
        const warning = (await eventsOf(client, object)).find(({ type }) => type === 'Warning');
        expect(warning?.reason).to.equal(reason);
        if (reason) expect(warning?.message).to.match(/"node2".*\(node1\)/);
        await client.delete(dataVolumes, key);
        await untilNothingElse(client, [namespace], before);
      });
    });

    async function chooseStrategy(cloneStrategy: 'csi-clone' | 'snapshot'): Promise<void> {
      const key = { namespace: '', name: NODE_CLASS };
      await environment.client.mergePatch(storageProfiles, key, { spec: { cloneStrategy } });
      await until(environment.client, storageProfiles, key, 'it has the strategy', (profile) => {
        return profile?.status?.cloneStrategy === cloneStrategy;
      });
    }
  });
});
