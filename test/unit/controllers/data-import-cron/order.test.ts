import { expect } from 'chai';
import fc from 'fast-check';
import { dataSources } from '../../../../src/api/data-source.ts';
import { dataVolumes } from '../../../../src/api/data-volume.ts';
import { isNotFound } from '../../../../src/kube/errors.ts';
import type { KubeObject, Resource } from '../../../../src/kube/resource.ts';
import { volumeSnapshots } from '../../../../src/kube/snapshot-resources.ts';
import { TEAM } from '../world/installation.ts';
import type { Pace } from '../world/world.ts';
import { Goodness } from './goodness.ts';
import { nameOf, Rig, SOURCE } from './rig.ts';

const KEPT = 2;
const versions = fc.integer({ min: 1, max: 4 });

type Step =
  | { readonly publish: number }
  | { readonly rounds: number; readonly pace: Pace }
  | { readonly keepAs: 'pvc' | 'snapshot' }
  | { readonly delete: 'image' | 'snapshot'; readonly version: number }
  | {
      readonly happens:
        'pods fail' | 'restart' | 'the DataSource is deleted' | 'the registry fails' | 'the registry answers';
    };

const step: fc.Arbitrary<Step> = fc.oneof(
  { arbitrary: fc.record({ publish: versions }), weight: 4 },
  {
    arbitrary: fc.record({
      rounds: fc.integer({ min: 1, max: 9 }),
      pace: fc.constantFrom<Pace>('even', 'late watches', 'late watches of others', 'late Kubernetes'),
    }),
    weight: 8,
  },
  fc.record({ keepAs: fc.constantFrom('pvc' as const, 'snapshot' as const) }),
  fc.record({ delete: fc.constantFrom('image' as const, 'snapshot' as const), version: versions }),
  fc.record({
    happens: fc.constantFrom(
      'pods fail' as const,
      'restart' as const,
      'the DataSource is deleted' as const,
      'the registry fails' as const,
      'the registry answers' as const,
    ),
  }),
);

describe('whatever happens to the images of a DataImportCron, and in whatever order', function () {
  this.timeout(120_000);

  it('its DataSource stands for nothing incomplete, loses no good image, and ends with the newest', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 14 }), async (steps) => {
        const rig = await Rig.of();
        const goodness = new Goodness(rig.world.api);
        rig.create({ importsToKeep: KEPT });
        for (const each of steps) await take(rig, each);
        rig.registry.error = undefined;
        // A failure that has not been noticed yet would begin its delay later.
        await rig.rounds(4);
        rig.world.pass(30 * 3_600_000);
        await rig.rounds(24);
        expect(goodness.breaches).to.deep.equal([]);
        expect(rig.condition('UpToDate')).to.include({ status: 'True', reason: 'UpToDate' });
        expect(rig.standsFor).to.match(new RegExp(`^(pvc|snapshot) ${nameOf(rig.registry.version)}$`));
        const { claims, snapshots } = rig.images;
        expect(new Set([...claims, ...snapshots]).size).to.be.within(1, KEPT);
      }),
      { numRuns: 30 },
    );
  });
});

async function take(rig: Rig, step: Step): Promise<void> {
  if ('publish' in step) return rig.publish(step.publish);
  if ('keepAs' in step) return rig.keepAs(step.keepAs);
  if ('delete' in step)
    return remove(rig, step.delete === 'image' ? dataVolumes : volumeSnapshots, nameOf(step.version));
  if ('rounds' in step) {
    for (let round = 0; round < step.rounds; round++) await rig.world.round(step.pace);
    return;
  }
  if (step.happens === 'pods fail') rig.failPods();
  if (step.happens === 'restart') rig.world.restart();
  if (step.happens === 'the DataSource is deleted') remove(rig, dataSources, SOURCE.name);
  if (step.happens === 'the registry fails') rig.registry.error = new Error('no answer');
  if (step.happens === 'the registry answers') rig.registry.error = undefined;
}

function remove(rig: Rig, resource: Resource<KubeObject>, name: string): void {
  try {
    rig.world.api.delete('author', resource, { namespace: TEAM, name });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
