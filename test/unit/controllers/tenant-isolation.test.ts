import { expect } from 'chai';
import fc from 'fast-check';
import { stateAnnotation, userAnnotation } from '../../../src/api/annotations.ts';
import { cloneTypes } from '../../../src/api/clone.ts';
import { dataVolumes } from '../../../src/controllers/resources.ts';
import { act, type Action, type Actor } from './world/actions.ts';
import { TEAM } from './world/installation.ts';
import { beginning, DISK, passing, plant, tenantAction } from './world/tenant.ts';
import { World } from './world/world.ts';

/** How many histories are tried of each law. DISKPRESS_PROPERTY_RUNS asks for more. */
const numRuns = Number(process.env['DISKPRESS_PROPERTY_RUNS'] ?? 200);
/** Enough for whatever is under way to come to its end. */
const ROUNDS_TO_END = 14;

const settings = { numRuns, endOnFailure: false } as const;
const strategies = fc.constantFrom(...cloneTypes);

async function follow(world: World, actions: readonly Action[], tenant: Actor = {}): Promise<void> {
  for (const action of actions) {
    await act(world, action, tenant);
    const [breach] = world.law.breaches;
    if (breach) throw new Error(breach);
  }
}

describe('a tenant, whatever it writes in its namespace and whenever', () => {
  for (const hasAnnotationPolicy of [true, false]) {
    const where = hasAnnotationPolicy ? 'with all admission policies' : 'without the policy on annotations';
    it(`has nothing touched in other namespaces, and gets no byte from there, ${where}`, async () => {
      await fc.assert(
        fc.asyncProperty(
          strategies,
          beginning,
          fc.array(tenantAction, { maxLength: 12 }),
          async (cloneStrategy, { spec, annotations, rounds }, actions) => {
            const world = await World.of({ cloneStrategy, hasAnnotationPolicy });
            await follow(world, [
              { make: 'data-volume', name: DISK, annotations, owners: [], spec },
              { rounds },
              ...actions,
              { rounds: ROUNDS_TO_END },
            ]);
          },
        ),
        settings,
      );
    });
  }
});

describe('a DataVolume whose author may clone from another namespace', () => {
  const golden = { namespace: 'golden', name: 'fedora' };
  const specs = fc.constantFrom<Extract<Action, { make: 'data-volume' }>['spec']>(
    { source: { pvc: golden } },
    { source: { snapshot: golden } },
    { sourceRef: { kind: 'DataSource', namespace: 'golden', name: 'latest' } },
  );

  /** What is made beside a DataVolume, but not as if the controllers had made it for that: such a claim is taken for its own. */
  const beside = plant.filter(
    (action) =>
      !('make' in action) ||
      (action.owners.every(({ name }) => name !== DISK) && action.annotations[stateAnnotation.populatedFor] !== DISK),
  );

  async function begin(cloneStrategy: (typeof cloneTypes)[number], given: { spec: object; annotations: object }) {
    const world = await World.of({ cloneStrategy, hasAnnotationPolicy: true });
    await act(world, { make: 'data-volume', name: DISK, owners: [], ...given } as Action, { user: 'author' });
    world.law.rightful.add(world.api.find(dataVolumes, { namespace: TEAM, name: DISK })?.metadata.uid ?? '');
    return world;
  }

  it('gets its clone, whatever else is made beside it, unless that has a name that is needed', async () => {
    await fc.assert(
      fc.asyncProperty(
        strategies,
        specs,
        beginning,
        fc.array(fc.oneof(beside, passing), { maxLength: 10 }),
        async (cloneStrategy, spec, { annotations }, actions) => {
          // Without a populator snapshots are not cloned.
          fc.pre(!spec.source?.snapshot || !(userAnnotation.usePopulator in annotations));
          const world = await begin(cloneStrategy, { spec, annotations });
          await follow(world, [...actions, { rounds: 2 * ROUNDS_TO_END }], { replaces: false });
          const { status } = world.api.find(dataVolumes, { namespace: TEAM, name: DISK }) ?? {};
          const reasons = status?.conditions?.map(({ reason }) => reason) ?? [];
          if (reasons.includes('ErrResourceExists')) return;
          expect(status?.phase, JSON.stringify(status)).to.equal('Succeeded');
          expect(world.data.of(world.data.volumeOf({ namespace: TEAM, name: DISK })?.metadata?.name)).to.include(
            'golden/fedora',
          );
        },
      ),
      settings,
    );
  });

  it('touches nothing foreign but what is made for it, whatever the tenant does to it', async () => {
    await fc.assert(
      fc.asyncProperty(
        strategies,
        specs,
        beginning,
        fc.array(tenantAction, { maxLength: 12 }),
        async (cloneStrategy, spec, { annotations, rounds }, actions) => {
          const world = await begin(cloneStrategy, { spec, annotations });
          await follow(world, [{ rounds }, ...actions, { rounds: ROUNDS_TO_END }]);
        },
      ),
      settings,
    );
  });
});
