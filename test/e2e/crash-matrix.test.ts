import { KubeConfig } from '@kubernetes/client-node';
import { expect } from 'chai';
import { dataVolumes, type DataVolumeSpec } from '../../src/api/data-volume.ts';
import { handedToAnnotation } from '../../src/controllers/objects/internal-annotations.ts';
import { persistentVolumeClaims, persistentVolumes } from '../../src/kube/builtin-resources.ts';
import type { ObjectKey } from '../../src/kube/key.ts';
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
  /** Without a populator: the pods of a copy are in two namespaces. */
  readonly direct?: boolean;
}

/** A round of strategies that are tried together. */
interface Round {
  readonly strategies: Record<string, Strategy>;
  /** How many clones may be under way at once. */
  readonly atOnce: number;
  /** Of each so many n, one is tried, unless $DISKPRESS_CRASH_MATRIX says otherwise. */
  readonly stride: number;
}

/** "full" takes every n, "2/4" the second of each four; other strategies are taken from where that is. */
const [, part, parts] = /^(\d+)\/(\d+)$/.exec(process.env.DISKPRESS_CRASH_MATRIX?.replace('full', '1/1') ?? '') ?? [];

const rounds: Record<string, Round> = {
  'by the storage': {
    strategies: {
      'csi-clone': { role: 'csiClone', namespace: 'other' },
      'csi-clone-that-grows': { role: 'csiClone', namespace: 'same', size: '400Mi' },
      'by-snapshot': { role: 'snapshot', namespace: 'other' },
      'restore-of-a-snapshot': { role: 'snapshot', namespace: 'same', ofSnapshot: true },
    },
    atOnce: 30,
    stride: 1,
  },
  'by pods': {
    strategies: {
      'copy-beside-it': { role: 'copy', namespace: 'same' },
      'copy-from-elsewhere': { role: 'copy', namespace: 'other' },
      'copy-between-namespaces': { role: 'copy', namespace: 'other', direct: true },
    },
    // A copy takes two pods, and seconds.
    atOnce: 8,
    stride: 4,
  },
};

/** A clone, and the number of writes after which the controller dies. */
interface Clone {
  readonly strategy: Strategy;
  readonly key: ObjectKey;
  readonly deadlyWrite: number;
}

describe('a controller that is killed after its n-th write for a clone, for every n', function () {
  this.timeout(900_000);
  const suite = useSuite();
  const golden = new Map<keyof StorageClasses, ObjectKey>();
  let goldenSnapshot: ObjectKey | undefined;
  let other = '';

  before(async () => {
    other = await suite.newNamespace();
    const roles = (['csiClone', 'snapshot', 'copy'] as const).filter((role) => suite.classes[role]);
    await Promise.all(roles.map(async (role) => golden.set(role, await makeGolden(suite, role))));
    const restorable = golden.get('snapshot');
    if (restorable) goldenSnapshot = await takeSnapshot(restorable);
    await scaleInstalledController(0);
  });
  after(() => scaleInstalledController(1));

  for (const [title, { strategies, atOnce, stride }] of Object.entries(rounds)) {
    it(`cloned ${title}: every clone is complete, no volume was ever at risk, and nothing is left`, async function () {
      const possible = Object.entries(strategies).filter(([, { role }]) => suite.classes[role]);
      if (possible.length === 0) this.skip();
      const roles = [...new Set(possible.map(([, { role }]) => role))];
      const before = await tracesIn(suite.client, [suite.namespace, other]);
      const untouched = await Promise.all(roles.map(stateOfGolden));

      const undisturbed = possible.map(([name, strategy]) => cloneOf(`${name}-0`, strategy, Infinity));
      const ledger = (await run(undisturbed)).ledger;
      const clones = undisturbed.flatMap(({ strategy, key: { name } }, index) => {
        const writes = ledger.of(name).length;
        expect(writes, `writes for ${name}, which nobody disturbs`).to.be.greaterThan(5);
        const all = Array.from({ length: writes }, (_, before) => before + 1);
        const chosen = all.filter(
          (n) => n % Number(parts ?? stride) === Number(part ?? index) % Number(parts ?? stride),
        );
        return chosen.map((n) => cloneOf(`${possible[index]?.[0]}-${n}`, strategy, n));
      });
      let deaths = 0;
      for (let at = 0; at < clones.length; at += atOnce) deaths += (await run(clones.slice(at, at + atOnce))).deaths;
      console.log(`    the controllers were killed ${deaths} times, for ${clones.length} clones`);
      // Two clones may come to their n-th write before the first of them has been noticed.
      expect(deaths, 'how often the controllers died').to.be.greaterThan(clones.length / 2);

      await untilNothingElse(suite.client, [suite.namespace, other], before);
      expect(await Promise.all(roles.map(stateOfGolden))).to.deep.equal(untouched);
    });
  }

  function cloneOf(name: string, strategy: Strategy, deadlyWrite: number): Clone {
    return { strategy, key: { namespace: strategy.namespace === 'same' ? suite.namespace : other, name }, deadlyWrite };
  }

  /** Makes clones while the controllers die after so many writes for each, checks them, and removes them. */
  async function run(clones: readonly Clone[]): Promise<{ deaths: number; ledger: WriteLedger }> {
    const { client } = suite;
    const keys = clones.map(({ key }) => key);
    const deadlyWrites = new Map(clones.map(({ key, deadlyWrite }) => [key.name, deadlyWrite]));
    const ledger = new WriteLedger([...deadlyWrites.keys()]);
    const history = new VolumeHistory();
    await history.start(client);
    const controllers = startControllers((write) => {
      const entry = ledger.enter(write);
      return entry === undefined || entry.count !== deadlyWrites.get(entry.name);
    });
    try {
      await Promise.all(clones.map(create));
      await Promise.all(keys.map((key) => untilSucceeded(client, key, 300_000)));
      await expectWholeVolumes(history, await Promise.all(keys.map(untilReleased)));
      await expectContent(keys);
      await Promise.all(keys.map((key) => client.delete(dataVolumes, key)));
      await Promise.all(
        keys.map((key) => until(client, persistentVolumeClaims, key, 'it is gone', (claim) => claim === undefined)),
      );
    } finally {
      await history.stop();
      await controllers.stop();
    }
    return { deaths: controllers.deaths, ledger };
  }

  async function create({ key, strategy }: Clone): Promise<void> {
    const { role, size, ofSnapshot, direct } = strategy;
    const from = golden.get(role);
    const source = ofSnapshot ? { snapshot: goldenSnapshot } : { pvc: from };
    const annotations = direct ? { 'cdi.kubevirt.io/storage.usePopulator': 'false' } : undefined;
    const options = { storageClassName: suite.classes[role], size, annotations };
    await suite.client.create(dataVolumes, dataVolume(key, source as DataVolumeSpec['source'], options));
  }

  async function expectContent(keys: readonly ObjectKey[]): Promise<void> {
    for (const namespace of [suite.namespace, other]) {
      const names = keys.filter((key) => key.namespace === namespace).map(({ name }) => name);
      const sums = await readDisks(suite, namespace, names, suite.disk.virtualSize);
      for (const name of names) expect(sums.get(name), `the content of ${name}`).to.equal(suite.disk.sha256);
    }
  }

  /** Resolves to the claim when nothing is to be done for it any more. */
  function untilReleased(key: ObjectKey) {
    return until(suite.client, persistentVolumeClaims, key, 'its clone is over', (claim) => {
      const finalizers = claim?.metadata?.finalizers ?? [];
      return claim && finalizers.every((name) => name.startsWith('kubernetes.io/')) ? claim : undefined;
    });
  }

  /**
   * The volumes have their reclaim policy back, carry no trace of the rebinding but whose they are, and could at no
   * time have been lost.
   */
  async function expectWholeVolumes(history: VolumeHistory, claims: readonly { metadata?: { uid?: string } }[]) {
    const uids = new Set(claims.map(({ metadata }) => metadata?.uid ?? ''));
    const volumes = (await suite.client.list(persistentVolumes)).filter(({ spec }) =>
      uids.has(spec?.claimRef?.uid ?? ''),
    );
    expect(volumes).to.have.length(claims.length);
    for (const { metadata, spec } of volumes) {
      expect(spec?.persistentVolumeReclaimPolicy, metadata?.name).to.equal('Delete');
      expect(Object.keys(metadata?.annotations ?? {}).filter(isTrace)).to.be.empty;
    }
    await history.catchUp(suite.client);
    const losses = history.losses(uids);
    expect(losses.slice(0, 10).join('\n'), `${losses.length} moments at which a volume was at risk`).to.equal('');
  }

  async function takeSnapshot(source: ObjectKey): Promise<ObjectKey> {
    const key = suite.key('golden-snapshot');
    await suite.client.create(volumeSnapshots, {
      metadata: { ...key },
      spec: { source: { persistentVolumeClaimName: source.name } },
    });
    await until(suite.client, volumeSnapshots, key, 'it is ready', (snapshot) => snapshot?.status?.readyToUse);
    return key;
  }

  /** What of a golden claim, and in its volume, somebody might have changed. */
  async function stateOfGolden(role: keyof StorageClasses) {
    const key = golden.get(role);
    if (!key) throw new Error(`there is no golden volume for ${role}`);
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

function isTrace(annotation: string): boolean {
  return annotation.startsWith('cdi.kubevirt.io/') && annotation !== handedToAnnotation;
}
