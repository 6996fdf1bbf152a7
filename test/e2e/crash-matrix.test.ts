import { KubeConfig } from '@kubernetes/client-node';
import { expect } from 'chai';
import type { DataVolumeSpec } from '../../src/api/data-volume.ts';
import { dataVolumes } from '../../src/controllers/resources.ts';
import { persistentVolumeClaims, persistentVolumes } from '../../src/kube/builtin-resources.ts';
import type { Key } from '../../src/kube/key.ts';
import { volumeSnapshots } from '../../src/kube/snapshot-resources.ts';
import { dataVolume, untilSucceeded } from '../support/data-volumes.ts';
import type { StorageClasses } from '../support/storage-classes.ts';
import { until } from '../support/until.ts';
import { MortalControllers } from './crash/mortal-controllers.ts';
import { readDisks } from './crash/read-disks.ts';
import type { Write } from './crash/severable-api.ts';
import { VolumeHistory } from './crash/volume-history.ts';
import { WriteLedger } from './crash/write-ledger.ts';
import { makeGolden } from './support/stages.ts';
import { useSuite } from './support/suite.ts';
import { tracesIn, untilNothingElse } from './support/traces.ts';

interface Strategy {
  readonly role: keyof StorageClasses;
  readonly namespace: 'same' | 'other';
  readonly size?: string;
  /** Of a VolumeSnapshot of the golden volume, and not of the volume. */
  readonly ofSnapshot?: boolean;
  /** How many may be under way at once: a copy takes two pods. */
  readonly atOnce: number;
}

const strategies: Record<string, Strategy> = {
  'csi-clone': { role: 'csiClone', namespace: 'other', atOnce: 30 },
  'csi-clone-that-grows': { role: 'csiClone', namespace: 'same', size: '400Mi', atOnce: 30 },
  snapshot: { role: 'snapshot', namespace: 'other', atOnce: 30 },
  'restore-of-a-snapshot': { role: 'snapshot', namespace: 'same', ofSnapshot: true, atOnce: 30 },
  copy: { role: 'copy', namespace: 'same', atOnce: 8 },
  'copy-from-elsewhere': { role: 'copy', namespace: 'other', atOnce: 8 },
};

describe('a controller that is killed after its n-th write for a clone, for every n', function () {
  this.timeout(900_000);
  const suite = useSuite();
  const golden = new Map<keyof StorageClasses, Key>();
  let other = '';

  before(async () => {
    other = await suite.newNamespace();
    for (const role of new Set(Object.values(strategies).map((strategy) => strategy.role))) {
      if (suite.classes[role]) golden.set(role, await makeGolden(suite, role));
    }
    await scaleInstalledController(0);
  });
  after(() => scaleInstalledController(1));

  for (const [title, strategy] of Object.entries(strategies)) {
    it(`${title}: every clone is complete, no volume was ever at risk, and nothing is left`, async function () {
      const source = golden.get(strategy.role);
      if (!source) this.skip();
      const from = strategy.ofSnapshot ? await snapshotOf(source) : { pvc: source };
      const before = await tracesIn(suite.client, [suite.namespace, other]);
      const untouched = await stateOf(source);

      const undisturbed = await run(strategy, from, [`${title}-0`], () => Infinity);
      const writes = undisturbed.writesOf(`${title}-0`);
      expect(writes.length, 'writes of a clone that nobody disturbs').to.be.greaterThan(5);

      const names = writes.map((_, index) => `${title}-${index + 1}`);
      for (let at = 0; at < names.length; at += strategy.atOnce) {
        const { deaths } = await run(strategy, from, names.slice(at, at + strategy.atOnce), (name) => {
          return Number(name.slice(name.lastIndexOf('-') + 1));
        });
        expect(deaths, 'how often the controller died').to.be.greaterThan(0);
      }
      await untilNothingElse(suite.client, [suite.namespace, other], before);
      expect(await stateOf(source)).to.deep.equal(untouched);
    });
  }

  /** Makes clones while the controllers die after so many writes for each, checks them, and removes them. */
  async function run(
    strategy: Strategy,
    source: DataVolumeSpec['source'],
    names: readonly string[],
    deadly: (name: string) => number,
  ) {
    const { client } = suite;
    const namespace = strategy.namespace === 'same' ? suite.namespace : other;
    const keys = names.map((name) => ({ namespace, name }));
    const ledger = new WriteLedger(names);
    const history = new VolumeHistory();
    await history.start(client);
    const controllers = startControllers((write) => {
      const entry = ledger.enter(write);
      return entry?.count !== deadly(entry?.name ?? '');
    });
    try {
      const options = { storageClassName: suite.classes[strategy.role], size: strategy.size };
      await Promise.all(keys.map((key) => client.create(dataVolumes, dataVolume(key, source, options))));
      await Promise.all(keys.map((key) => untilSucceeded(client, key, 300_000)));
      const claims = await Promise.all(keys.map(untilReleased));
      await expectWholeVolumes(history, claims);
      const sums = await readDisks(suite, namespace, names, suite.disk.virtualSize);
      for (const name of names) expect(sums.get(name), `the content of ${name}`).to.equal(suite.disk.sha256);
      await Promise.all(keys.map((key) => client.delete(dataVolumes, key)));
      await Promise.all(
        keys.map((key) => until(client, persistentVolumeClaims, key, 'it is gone', (claim) => claim === undefined)),
      );
    } finally {
      await history.stop();
      await controllers.stop();
    }
    return { deaths: controllers.deaths, writesOf: (name: string): readonly Write[] => ledger.of(name) };
  }

  /** Resolves to the claim when nothing is to be done for it any more. */
  function untilReleased(key: Key) {
    return until(suite.client, persistentVolumeClaims, key, 'its clone is over', (claim) => {
      const finalizers = claim?.metadata?.finalizers ?? [];
      return claim && finalizers.every((name) => name.startsWith('kubernetes.io/')) ? claim : undefined;
    });
  }

  /** The volumes have their reclaim policy back, carry no trace of the rebinding, and could at no time have been lost. */
  async function expectWholeVolumes(history: VolumeHistory, claims: readonly { metadata?: { uid?: string } }[]) {
    const uids = new Set(claims.map(({ metadata }) => metadata?.uid ?? ''));
    const volumes = (await suite.client.list(persistentVolumes)).filter(({ spec }) =>
      uids.has(spec?.claimRef?.uid ?? ''),
    );
    expect(volumes).to.have.length(claims.length);
    for (const { metadata, spec } of volumes) {
      expect(spec?.persistentVolumeReclaimPolicy, metadata?.name).to.equal('Delete');
      expect(Object.keys(metadata?.annotations ?? {}).filter((name) => name.startsWith('cdi.kubevirt.io/'))).to.be
        .empty;
    }
    expect(history.losses(uids)).to.be.empty;
  }

  async function snapshotOf(source: Key): Promise<DataVolumeSpec['source']> {
    const key = suite.key('golden-snapshot');
    await suite.client.create(volumeSnapshots, {
      metadata: { ...key },
      spec: { source: { persistentVolumeClaimName: source.name } },
    });
    await until(suite.client, volumeSnapshots, key, 'it is ready', (snapshot) => snapshot?.status?.readyToUse);
    return { snapshot: key };
  }

  /** What of a claim, and in its volume, somebody might have changed. */
  async function stateOf(key: Key) {
    const claim = await suite.client.get(persistentVolumeClaims, key);
    const volume = await suite.client.get(persistentVolumes, { namespace: '', name: claim?.spec?.volumeName ?? '' });
    const content = await readDisks(suite, key.namespace, [key.name], suite.disk.virtualSize);
    const { uid, labels, annotations, ownerReferences } = claim?.metadata ?? {};
    return { uid, labels, annotations, ownerReferences, spec: claim?.spec, volume: volume?.spec, content };
  }

  function startControllers(mayGoOn: (write: Write) => boolean): MortalControllers {
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromFile(suite.kubeConfigPath);
    return new MortalControllers(kubeConfig, suite.image, mayGoOn);
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
