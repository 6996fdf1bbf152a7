import { expect } from 'chai';
import fc from 'fast-check';
import { stateAnnotation, userAnnotation } from '../../../src/api/annotations.ts';
import { cloneTypes } from '../../../src/api/clone.ts';
import { dataVolumes } from '../../../src/api/data-volume.ts';
import { persistentVolumeClaims, persistentVolumes } from '../../../src/kube/builtin-resources.ts';
import { volumeSnapshotContents, volumeSnapshots } from '../../../src/kube/snapshot-resources.ts';
import { act, type Action, type Actor } from './world/actions.ts';
import { TEAM } from './world/installation.ts';
import { knownAttacks } from './world/known-attacks.ts';
import { type Beginning, beginning, history, passing, plant } from './world/tenant.ts';
import { World, type WorldOptions } from './world/world.ts';
import { DISK } from './world/writings.ts';

/** How many histories are tried of each law. DISKPRESS_PROPERTY_RUNS asks for more. */
const numRuns = Number(process.env['DISKPRESS_PROPERTY_RUNS'] ?? 400);
/** Enough for whatever is under way to come to its end. */
const ROUNDS_TO_END = 16;

const settings = { numRuns } as const;
/** Of copies between namespaces, each with certificates of its own. */
const fewer = { numRuns: Math.ceil(numRuns / 4) } as const;
const strategies = fc.constantFrom(...cloneTypes);

async function follow(world: World, actions: readonly Action[], tenant: Actor = {}): Promise<void> {
  for (const action of actions) {
    await act(world, action, tenant);
    const [breach] = world.law.breaches;
    if (breach) throw new Error(breach);
  }
}

function phaseOf({ api }: World): string | undefined {
  return api.find(dataVolumes, { namespace: TEAM, name: DISK })?.status?.phase;
}

/** Whose bytes are on the volume of the DataVolume's claim. */
function dataOf({ data }: World): readonly string[] {
  return data.of(data.volumeOf({ namespace: TEAM, name: DISK })?.metadata?.name);
}

/** The volumes and contents of claims and snapshots that are gone. */
function leftBehind({ api }: World): (string | undefined)[] {
  const living = new Set(
    [...api.list(persistentVolumeClaims), ...api.list(volumeSnapshots)].map(({ metadata }) => metadata?.uid),
  );
  const volumes = api.list(persistentVolumes).map(({ metadata, spec }) => [metadata?.name, spec?.claimRef?.uid]);
  const contents = api.list(volumeSnapshotContents).map(({ metadata, spec }) => {
    return [metadata?.name, spec.volumeSnapshotRef.uid];
  });
  return [...volumes, ...contents].flatMap(([name, uid]) => (uid !== undefined && !living.has(uid) ? [name] : []));
}

describe('a DataVolume in the simulated cluster', () => {
  const own = { namespace: TEAM, name: 'own' };
  const cases: Record<string, Beginning['spec']> = {
    'an import': { source: { blank: {} } },
    'an upload': { source: { upload: {} } },
    'a clone of a claim of its namespace': { source: { pvc: own } },
    'a clone of a snapshot of its namespace': { source: { snapshot: own } },
  };
  for (const [what, spec] of Object.entries(cases)) {
    for (const cloneStrategy of cloneTypes) {
      it(`is filled by ${what}, with strategy ${cloneStrategy}`, async () => {
        const world = await World.of({ cloneStrategy, hasAnnotationPolicy: true });
        const made: Action = { make: 'data-volume', name: DISK, annotations: {}, owners: [], spec };
        await follow(world, [made, { rounds: ROUNDS_TO_END }]);
        expect(phaseOf(world)).to.equal('Succeeded');
        expect(dataOf(world)).to.deep.equal([what.startsWith('a clone') ? 'team/own' : what]);
        expect(world.data.volumeOf({ namespace: TEAM, name: DISK })?.spec?.persistentVolumeReclaimPolicy).to.equal(
          'Retain',
        );
        expect(leftBehind(world)).to.deep.equal([]);
      });

      for (const rounds of [1, 2, 3, 4, 5, 6]) {
        it(`leaves nothing in the storage when it is deleted after ${rounds} rounds of ${what}, with strategy ${cloneStrategy}`, async () => {
          const world = await World.of({ cloneStrategy, hasAnnotationPolicy: true });
          const made: Action = { make: 'data-volume', name: DISK, annotations: {}, owners: [], spec };
          await follow(world, [made, { rounds }]);
          const handedOver = world.api.list(persistentVolumes).filter(({ spec }) => spec?.claimRef?.name === DISK);
          await follow(world, [{ delete: DISK, kind: 'data-volume' }, { restart: true }, { rounds: ROUNDS_TO_END }]);
          expect(world.api.list(persistentVolumeClaims)).to.have.length(3);
          expect(leftBehind(world)).to.deep.equal(handedOver.map(({ metadata }) => metadata?.name));
        });
      }
    }
  }
});

describe('a DataVolume whose namespace has a quota of just its claim', () => {
  const own = { namespace: TEAM, name: 'own' };
  const golden = { namespace: 'golden', name: 'fedora' };
  const cases: Record<string, { spec: Beginning['spec']; data: string }> = {
    'an import': { spec: { source: { blank: {} } }, data: 'an import' },
    'a clone of a claim beside it': { spec: { source: { pvc: own } }, data: 'team/own' },
    'a restored snapshot': { spec: { source: { snapshot: own } }, data: 'team/own' },
    'a clone of a claim elsewhere': { spec: { source: { pvc: golden } }, data: 'golden/fedora' },
  };
  for (const [what, { spec, data }] of Object.entries(cases)) {
    it(`is filled by ${what}, without a second claim`, async () => {
      // A snapshot is restored for nothing but the driver.
      for (const cloneStrategy of spec.source?.snapshot ? (['snapshot', 'csi-clone'] as const) : cloneTypes) {
        const world = await World.of({ cloneStrategy, hasAnnotationPolicy: true, hasTightQuotas: true });
        const made: string[] = [];
        world.api.onWrite(({ resource, before, after }) => {
          if (resource.kind === 'PersistentVolumeClaim' && !before) made.push(`${after?.metadata?.name}`);
        });
        const make: Action = { make: 'data-volume', name: DISK, annotations: {}, owners: [], spec };
        await act(world, make, { user: 'author' });
        world.law.rightful.add(world.api.find(dataVolumes, { namespace: TEAM, name: DISK })?.metadata.uid ?? '');
        await follow(world, [{ rounds: ROUNDS_TO_END }]);
        expect(phaseOf(world), cloneStrategy).to.equal('Succeeded');
        expect(dataOf(world), cloneStrategy).to.deep.equal([data]);
        expect(made, cloneStrategy).to.deep.equal([DISK]);
      }
    });
  }

  it('is filled by a working claim where its author insists, or a pod waits for it', async () => {
    const pod: Action = {
      make: 'pod',
      name: 'consumer',
      annotations: {},
      owners: [],
      mounts: DISK,
      role: 'any',
      runs: true,
    };
    const insisting = { [userAnnotation.usePopulator]: 'true' };
    for (const [annotations, before] of [
      [insisting, []],
      [{}, [pod]],
    ] as const) {
      const world = await World.of({ cloneStrategy: 'copy', hasAnnotationPolicy: true, hasTightQuotas: true });
      const spec = { source: { blank: {} } };
      await follow(world, [...before, { rounds: 1 }]);
      await follow(world, [{ make: 'data-volume', name: DISK, annotations, owners: [], spec }, { rounds: 2 }]);
      const claim = world.api.find(persistentVolumeClaims, { namespace: TEAM, name: DISK });
      expect(claim?.spec?.dataSourceRef?.kind).to.equal('VolumeImportSource');
    }
  });
});

/** What the tenant does, from the beginning to the end, in a world where it has no right but in its namespace. */
async function attack(
  options: WorldOptions,
  { spec, annotations, rounds, pace }: Beginning,
  actions: readonly Action[],
) {
  const world = await World.of(options);
  await follow(world, [
    { make: 'data-volume', name: DISK, annotations, owners: [], spec },
    { rounds, ...(pace && { pace }) },
    ...actions,
    { rounds: ROUNDS_TO_END },
  ]);
}

for (const hasAnnotationPolicy of [true, false]) {
  describe(`a tenant, ${hasAnnotationPolicy ? 'with all admission policies' : 'without the policy on annotations'},`, () => {
    for (const [what, [cloneStrategy, beginning, actions]] of Object.entries(knownAttacks)) {
      it(`gets nowhere by ${what}`, () => attack({ cloneStrategy, hasAnnotationPolicy }, beginning, actions));
    }

    it('has nothing touched in other namespaces and gets no byte from there, whatever it writes and when', async () => {
      await fc.assert(
        fc.asyncProperty(
          strategies,
          fc.boolean(),
          beginning,
          history,
          (cloneStrategy, hasTightQuotas, begun, actions) =>
            attack({ cloneStrategy, hasAnnotationPolicy, hasTightQuotas }, begun, actions),
        ),
        settings,
      );
    });
  });
}

describe('a DataVolume whose author may clone from another namespace', () => {
  const golden = { namespace: 'golden', name: 'fedora' };
  const specs = fc.constantFrom<Beginning['spec']>(
    { source: { pvc: golden } },
    { source: { snapshot: golden } },
    { sourceRef: { kind: 'DataSource', namespace: 'golden', name: 'latest' } },
  );

  const worlds = fc.record({ cloneStrategy: strategies, hasAnnotationPolicy: fc.boolean() });

  /**
   * What is made beside a DataVolume, but not as if the controllers had made it for that: such a claim is taken for its
   * own.
   */
  const beside = plant.filter(
    (action) =>
      !('make' in action) ||
      (action.owners.every(({ name }) => name !== DISK) && action.annotations[stateAnnotation.populatedFor] !== DISK),
  );

  async function begin(options: WorldOptions, given: Pick<Beginning, 'spec' | 'annotations'>) {
    const world = await World.of(options);
    await act(world, { make: 'data-volume', name: DISK, owners: [], ...given }, { user: 'author' });
    world.law.rightful.add(world.api.find(dataVolumes, { namespace: TEAM, name: DISK })?.metadata.uid ?? '');
    return world;
  }

  it('gets its clone, whatever else is made beside it, unless that has a name that is needed', async () => {
    await fc.assert(
      fc.asyncProperty(
        worlds,
        specs,
        beginning,
        fc.array(fc.oneof(beside, passing), { maxLength: 10, size: 'max' }),
        async (options, spec, { annotations }, actions) => {
          // Without a populator snapshots are not cloned.
          fc.pre(!spec.source?.snapshot || !(userAnnotation.usePopulator in annotations));
          const world = await begin(options, { spec, annotations });
          await follow(world, actions, { replaces: false });
          for (let round = 0; round < 2 * ROUNDS_TO_END && phaseOf(world) !== 'Succeeded'; round++)
            await follow(world, [{ rounds: 1 }]);
          const { status } = world.api.find(dataVolumes, { namespace: TEAM, name: DISK }) ?? {};
          const reasons = status?.conditions?.map(({ reason }) => reason) ?? [];
          if (reasons.includes('ErrResourceExists')) return;
          expect(status?.phase, JSON.stringify(status)).to.equal('Succeeded');
          expect(dataOf(world)).to.include('golden/fedora');
        },
      ),
      fewer,
    );
  });

  it('touches nothing foreign but what is made for it, whatever the tenant does to it', async () => {
    await fc.assert(
      fc.asyncProperty(worlds, specs, beginning, history, async (options, spec, { annotations, rounds }, actions) => {
        const world = await begin(options, { spec, annotations });
        await follow(world, [{ rounds }, ...actions, { rounds: ROUNDS_TO_END }]);
      }),
      fewer,
    );
  });
});
