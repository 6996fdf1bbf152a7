import { expect } from 'chai';
import { userAnnotation } from '../../../../src/api/annotations.ts';
import { pods } from '../../../../src/kube/builtin-resources.ts';
import { act } from '../world/actions.ts';
import { TEAM } from '../world/installation.ts';
import { World } from '../world/world.ts';
import { DISK } from '../world/writings.ts';

const ROUNDS = 20;
const sources = {
  'its own namespace': { namespace: TEAM, name: 'own' },
  another: { namespace: 'golden', name: 'fedora' },
};
const retaining = { [userAnnotation.podRetainAfterCompletion]: 'true' };

for (const [where, pvc] of Object.entries(sources)) {
  describe(`the pods of a copy from ${where}`, () => {
    async function copied(annotations: Record<string, string>): Promise<World> {
      const world = await World.of({ cloneStrategy: 'copy', hasAnnotationPolicy: true });
      const spec = { source: { pvc } };
      await act(world, { make: 'data-volume', name: DISK, annotations, owners: [], spec }, { user: 'author' });
      world.law.rightful.add(`datavolume.${TEAM}.${DISK}.1`);
      await act(world, { rounds: ROUNDS });
      return world;
    }
    const podsIn = (world: World) => world.api.list(pods).map(({ spec }) => spec?.containers[0]?.name);

    it('go with its success', async () => {
      expect(podsIn(await copied({}))).to.deep.equal([]);
    });

    it('stay until the claim goes, where they are to be retained', async () => {
      const world = await copied(retaining);
      expect(podsIn(world)).to.deep.equal(['copy-volume']);
      await act(world, { delete: DISK, kind: 'data-volume' });
      await act(world, { rounds: ROUNDS });
      expect(podsIn(world)).to.deep.equal([]);
    });
  });
}
