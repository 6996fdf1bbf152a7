import { expect } from 'chai';
import { stateAnnotation } from '../../../../../src/api/annotations.ts';
import { persistentVolumeClaims } from '../../../../../src/kube/builtin-resources.ts';
import { act } from '../../world/actions.ts';
import { TEAM } from '../../world/installation.ts';
import { World } from '../../world/world.ts';
import { DISK } from '../../world/writings.ts';

const LABEL = 'instancetype.kubevirt.io/default-preference';

describe('a claim that is populated', () => {
  it('has the labels of its image before it is said to be complete', async () => {
    const world = await World.of({ cloneStrategy: 'copy', hasAnnotationPolicy: true });
    const spec = { source: { blank: {} } };
    await act(world, { make: 'data-volume', name: DISK, annotations: {}, owners: [], spec }, { user: 'author' });
    world.law.rightful.add(`datavolume.${TEAM}.${DISK}.1`);
    const complete: (string | undefined)[] = [];
    world.api.onWrite(({ after: { kind, metadata } = {} }) => {
      if (kind !== 'PersistentVolumeClaim' || metadata?.namespace !== TEAM) return;
      if (metadata.name?.startsWith('prime-') && !metadata.labels?.[LABEL]) {
        world.api.change('cluster', persistentVolumeClaims, { namespace: TEAM, name: metadata.name }, (prime) => ({
          ...prime,
          metadata: { ...prime.metadata, labels: { ...prime.metadata?.labels, [LABEL]: 'fedora' } },
        }));
      }
      if (metadata.name === DISK && metadata.annotations?.[stateAnnotation.podPhase] === 'Succeeded') {
        complete.push(metadata.labels?.[LABEL]);
      }
    });
    await act(world, { rounds: 18 });
    expect(complete).not.to.be.empty;
    expect(new Set(complete)).to.deep.equal(new Set(['fedora']));
  });
});
