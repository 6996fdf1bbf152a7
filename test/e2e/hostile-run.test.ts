import { expect } from 'chai';
import { dataVolumes } from '../../src/api/data-volume.ts';
import { persistentVolumeClaims, persistentVolumes, pods } from '../../src/kube/builtin-resources.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { keyOf, keyToString, type ObjectKey } from '../../src/kube/key.ts';
import { controllerMetrics } from '../bench/cluster/controller.ts';
import { dataVolume, untilSucceeded } from '../support/data-volumes.ts';
import { eventually } from '../support/eventually.ts';
import { clientAs } from '../support/impersonation.ts';
import { RandomChoice } from '../support/random-choice.ts';
import { cloningFrom, mayDo } from '../support/rights.ts';
import type { StorageClasses } from '../support/storage-classes.ts';
import { until } from '../support/until.ts';
import { attempt, type Tally } from './hostile/attempt.ts';
import { Known, ownResources } from './hostile/world.ts';
import { claimsWith, makeMarked, MARKED_SIZE } from './support/marked-volumes.ts';
import { nameOf, NamespaceRecorder } from './support/namespace-recorder.ts';
import { useSuite } from './support/suite.ts';

const ACTIONS = 1_000;
const ROUNDS = 20;
const AT_A_TIME = 4;
/** In the middle of which the controller's pod is deleted. */
const RESTART_ROUND = 10;
const MEMORY_GROWTH_MAX = 60e6;

const VICTIMS = 'victims-data-e5a2';
const GOLDEN = 'golden-data-e5a2';

/** How the ordinary tenant clones, in turn. */
const ordinaryWays: readonly { readonly role: keyof StorageClasses; readonly usePopulator: string }[] = [
  { role: 'csiClone', usePopulator: 'true' },
  { role: 'snapshot', usePopulator: 'true' },
  { role: 'copy', usePopulator: 'true' },
  { role: 'copy', usePopulator: 'false' },
];

describe('a tenant that tries everything', function () {
  this.timeout(900_000);
  const suite = useSuite();
  const seed = process.env.DISKPRESS_HOSTILE_SEED ?? `${Date.now()}`;
  const tally: Tally = { accepted: 0, refused: 0, failures: [] };
  const cloned: ObjectKey[] = [];
  const namespaces = { victim: '', golden: '', home: '', team: '' };
  const recorders = new Map<string, NamespaceRecorder>();
  const memory: number[] = [];
  let hostile: KubeClient;
  let ordinary: KubeClient;
  let claimsAtFirst: string[];
  let controllersAtFirst: string[];

  const secret = () => ({ namespace: namespaces.victim, name: 'secret' });
  const secretDevice = () => ({ namespace: namespaces.victim, name: 'secret-device' });
  const image = () => ({ namespace: namespaces.golden, name: 'image' });
  const own = () => ({ namespace: namespaces.home, name: 'own' });

  const residentMemory = async () => (await controllerMetrics(suite)).sum('process_resident_memory_bytes');
  const controllers = async () => {
    const found = await suite.client.list(pods, { namespace: 'cdi', labelSelector: 'cdi.kubevirt.io=cdi-deployment' });
    return found.filter(({ metadata }) => !metadata?.deletionTimestamp);
  };
  /** The claims that are not the hostile tenant's, and whose their volumes are. */
  const claimsOfOthers = async () => {
    const volumes = await suite.client.list(persistentVolumes);
    const claims = await Promise.all(
      [secret(), secretDevice(), image()].map((key) => suite.client.get(persistentVolumeClaims, key)),
    );
    return claims.map((claim) => {
      const volume = volumes.find(({ metadata }) => metadata?.name === claim?.spec?.volumeName);
      const { name, uid } = claim?.metadata ?? {};
      return `${name} ${uid} ${claim?.status?.phase} ${volume?.metadata?.name} of ${volume?.spec?.claimRef?.uid}`;
    });
  };

  before('namespaces and users', async () => {
    console.log(`    DISKPRESS_HOSTILE_SEED=${seed}`);
    const { kubectl, kubeConfigPath } = suite;
    for (const name of Object.keys(namespaces) as (keyof typeof namespaces)[]) {
      namespaces[name] = await suite.newNamespace();
    }
    const create = (namespace: string, ...args: string[]) => kubectl.run('-n', namespace, 'create', ...args);
    await create(namespaces.home, 'rolebinding', 'everything', '--clusterrole=cluster-admin', '--user=hostile');
    await create(namespaces.team, 'rolebinding', 'edit', '--clusterrole=edit', '--user=ordinary');
    await create(namespaces.golden, 'role', 'clone', '--verb=create', '--resource=datavolumes.cdi.kubevirt.io/source');
    await create(namespaces.golden, 'rolebinding', 'clone', '--role=clone', '--user=ordinary');
    hostile = clientAs(kubeConfigPath, 'hostile');
    ordinary = clientAs(kubeConfigPath, 'ordinary');
    await eventually('the ordinary tenant may clone', () => mayDo(ordinary, cloningFrom(namespaces.golden)));
  });

  before('data', async () => {
    const storageClassName = suite.classes.standard;
    await Promise.all([
      makeMarked(suite, secret(), { storageClassName, marker: VICTIMS }),
      makeMarked(suite, secretDevice(), { storageClassName, volumeMode: 'Block', marker: VICTIMS }),
      makeMarked(suite, image(), { storageClassName, marker: GOLDEN }),
      makeMarked(suite, own(), { storageClassName, marker: 'own-data' }),
    ]);
    for (const namespace of [namespaces.victim, namespaces.golden]) {
      const recorder = new NamespaceRecorder(namespace);
      recorders.set(namespace, recorder);
      await recorder.start(suite.client);
    }
    claimsAtFirst = await claimsOfOthers();
    controllersAtFirst = (await controllers()).map(({ metadata }) => metadata?.uid ?? '');
    memory.push(await residentMemory());
  });

  before('the run', async () => {
    const { client, classes } = suite;
    const known = new Known();
    const world = {
      client: hostile,
      random: new RandomChoice(seed),
      namespace: namespaces.home,
      own: own(),
      wanted: [secret(), secretDevice(), image()],
      classes,
      image: suite.image,
      known,
    };
    for (let round = 0; round < ROUNDS; round++) {
      await known.learn(client, Object.values(namespaces));
      const attempts = attempt(world, tally, ACTIONS / ROUNDS, AT_A_TIME);
      // Else it would be told as unhandled while the clone is waited for.
      attempts.catch(() => undefined);
      const clone = cloneOrdinarily(round);
      if (round === RESTART_ROUND) await deleteController();
      await Promise.all([attempts, clone]);
      memory.push(await residentMemory());
    }
    console.log(`    ${tally.accepted} actions accepted, ${tally.refused} refused`);
  });

  async function cloneOrdinarily(round: number): Promise<void> {
    const { role, usePopulator } = ordinaryWays[round % ordinaryWays.length] ?? { role: 'standard', usePopulator: '' };
    const key = { namespace: namespaces.team, name: `machine-${round}` };
    const storageClassName = suite.classes[role];
    if (storageClassName === undefined) return;
    const annotations = { 'cdi.kubevirt.io/storage.usePopulator': usePopulator };
    const options = { storageClassName, size: MARKED_SIZE, annotations };
    await ordinary.create(dataVolumes, dataVolume(key, { pvc: image() }, options));
    await untilSucceeded(suite.client, key);
    cloned.push(key);
  }

  async function deleteController(): Promise<void> {
    for (const controller of await controllers()) {
      await suite.client.delete(pods, keyOf(controller));
      await until(suite.client, pods, keyOf(controller), 'it is gone', (found) => found === undefined);
    }
  }

  after(async () => {
    await Promise.all([...recorders.values()].map((recorder) => recorder.stop()));
    await Promise.all([hostile?.close(), ordinary?.close()]);
  });

  it('is answered, and mostly refused or ignored', () => {
    expect(tally.failures).to.deep.equal([]);
    expect(tally.accepted + tally.refused).to.equal(ACTIONS);
  });

  it('brings about nothing in the namespace of its victim', () => {
    const recorder = recorders.get(namespaces.victim);
    expect(recorder?.appeared.map(nameOf)).to.deep.equal([]);
    expect(recorder?.changes).to.deep.equal([]);
  });

  it('brings about nothing where golden images are, where only the ordinary tenant has things made', () => {
    const recorder = recorders.get(namespaces.golden);
    const legitimate = cloned.flatMap((key) => recorder?.madeFor(key) ?? []).map(({ metadata }) => metadata?.uid);
    const isWork = ({ kind }: { kind?: string }) => kind !== 'PersistentVolume';
    const others = (recorder?.appeared ?? []).filter(
      (object) => isWork(object) && !legitimate.includes(object.metadata?.uid),
    );
    expect(others.map(nameOf)).to.deep.equal([]);
    expect(recorder?.changes.filter((change) => change.includes('was removed'))).to.deep.equal([]);
  });

  it("leaves others' claims their volumes", async () => {
    expect(await claimsOfOthers()).to.deep.equal(claimsAtFirst);
  });

  it('does not disturb the clones of an ordinary tenant', async () => {
    const found = await claimsWith(suite, namespaces.team, GOLDEN);
    expect(found).to.have.members(cloned.map(({ name }) => name));
  });

  it("has nobody's data in the end", async () => {
    for (const marker of [VICTIMS, GOLDEN]) {
      expect(await claimsWith(suite, namespaces.home, marker), marker).to.deep.equal([]);
    }
    expect(await claimsWith(suite, namespaces.home, 'own-data'), 'what is found').to.include('own');
  });

  it('does not bring the controllers down, and takes little of their memory', async () => {
    const now = await controllers();
    expect(now.map(({ status }) => status?.containerStatuses?.[0]?.restartCount)).to.deep.equal([0]);
    expect(now.map(({ metadata }) => metadata?.uid)).to.not.have.members(controllersAtFirst);
    const [first = 0] = memory;
    expect(Math.max(...memory) - first, `bytes, of ${memory.join(', ')}`).to.be.at.most(MEMORY_GROWTH_MAX);
  });

  it('leaves nothing that cannot be removed', async () => {
    for (const resource of ownResources) {
      for (const object of await hostile.list(resource, { namespace: namespaces.home })) {
        const finalizers = (object.metadata?.finalizers ?? []).filter((name) => !name.startsWith('example.com/'));
        await hostile.mergePatch(resource, keyOf(object), { metadata: { finalizers } }).catch(() => undefined);
        await hostile.delete(resource, keyOf(object), { gracePeriodSeconds: 0 });
      }
    }
    await eventually(
      'its claims and DataVolumes are gone',
      async () => {
        const left = [
          await hostile.list(dataVolumes, { namespace: namespaces.home }),
          await hostile.list(persistentVolumeClaims, { namespace: namespaces.home }),
        ].flat();
        if (left.length > 0)
          throw new Error(
            left.map((object) => `${keyToString(keyOf(object))} ${object.metadata?.finalizers?.join(' ')}`).join(', '),
          );
        return true;
      },
      60_000,
    );
    const inGolden = await suite.client.list(persistentVolumeClaims, { namespace: namespaces.golden });
    expect(inGolden.map(({ metadata }) => metadata?.name)).to.deep.equal(['image']);
  });
});
