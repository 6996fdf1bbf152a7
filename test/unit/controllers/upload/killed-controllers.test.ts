import { expect } from 'chai';
import { userAnnotation } from '../../../../src/api/annotations.ts';
import { dataVolumes } from '../../../../src/api/data-volume.ts';
import { persistentVolumeClaims, pods, secrets, services } from '../../../../src/kube/builtin-resources.ts';
import type { KubeObject, Resource } from '../../../../src/kube/resource.ts';
import { act, type Annotations } from '../world/actions.ts';
import { refusal } from '../world/api.ts';
import { TEAM } from '../world/installation.ts';
import { World } from '../world/world.ts';
import { DISK } from '../world/writings.ts';

const ROUNDS_TO_END = 20;
const KEY = { namespace: TEAM, name: DISK };

/** What an upload makes on the way, besides its claim, and the claims that were there before. */
const leftIn = ({ api }: World) => [
  ...([pods, services, secrets] as readonly Resource<KubeObject>[]).flatMap((resource) =>
    api.list(resource).map(({ metadata }) => metadata?.name),
  ),
  ...api
    .list(persistentVolumeClaims)
    .map(({ metadata }) => metadata?.name)
    .filter((name) => name?.startsWith('prime-')),
];

describe('controllers that end before their n-th request for an upload, for every n', () => {
  for (const [how, annotations] of Object.entries<Annotations>({
    'by way of a working claim': {},
    'into the claim itself': { [userAnnotation.usePopulator]: 'false' },
  })) {
    it(`fill the claim all the same, ${how}, and leave nothing`, async () => {
      let requests = 0;
      for (let isDisturbed = true; isDisturbed; requests++) {
        const world = await World.of({ cloneStrategy: 'copy', hasAnnotationPolicy: true });
        const spec = { source: { upload: {} } };
        await act(world, { make: 'data-volume', name: DISK, annotations, owners: [], spec });
        isDisturbed = false;
        world.interrupt(requests, async () => {
          isDisturbed = true;
          world.restart();
          throw refusal(500, 'InternalError', 'the controllers have ended');
        });
        await act(world, { rounds: ROUNDS_TO_END });
        const what = `before request ${requests}`;
        expect(world.api.find(dataVolumes, KEY)?.status?.phase, what).to.equal('Succeeded');
        expect(world.data.of(world.data.volumeOf(KEY)?.metadata?.name), what).to.deep.equal(['an upload']);
        expect(leftIn(world), what).to.deep.equal([]);
      }
      expect(requests).to.be.greaterThan(10);
    });
  }
});
