import { expect } from 'chai';
import { userAnnotation } from '../../../../../src/api/annotations.ts';
import { cloneGrants } from '../../../../../src/api/clone-grant.ts';
import { dataVolumes } from '../../../../../src/api/data-volume.ts';
import { act, type Annotations } from '../../world/actions.ts';
import { refusal } from '../../world/api.ts';
import { TEAM } from '../../world/installation.ts';
import { World } from '../../world/world.ts';
import { DISK } from '../../world/writings.ts';

const source = { pvc: { namespace: 'golden', name: 'fedora' } };

describe('a clone from another namespace whose grant was not written with its claim', () => {
  const ways: Record<string, Annotations> = {
    'a working claim': {},
    'the claim itself, which is bound meanwhile': { [userAnnotation.usePopulator]: 'false' },
  };
  for (const [into, annotations] of Object.entries(ways)) {
    it(`is granted afterwards, into ${into}`, async () => {
      let failures = 0;
      const world = await World.of({
        cloneStrategy: 'copy',
        hasAnnotationPolicy: true,
        authorize: ({ verb, resource }) => {
          if (resource !== cloneGrants || verb !== 'create' || failures > 1) return;
          failures += 1;
          throw refusal(500, 'InternalError', 'the API server is killed');
        },
      });
      const make = { make: 'data-volume', name: DISK, annotations, owners: [], spec: { source } } as const;
      await act(world, make, { user: 'author' });
      world.law.rightful.add(`datavolume.${TEAM}.${DISK}.1`);
      await act(world, { rounds: 20 });
      expect(failures).to.equal(2);
      expect(world.api.find(dataVolumes, { namespace: TEAM, name: DISK })?.status?.phase).to.equal('Succeeded');
    });
  }
});
