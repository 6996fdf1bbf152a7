import { expect } from 'chai';
import { persistentVolumeClaims, pods } from '../../../../src/kube/builtin-resources.ts';
import { volumeSnapshots } from '../../../../src/kube/snapshot-resources.ts';
import { refusal } from '../world/api.ts';
import { PRECIOUS } from '../world/installation.ts';
import type { World } from '../world/world.ts';
import { Goodness } from './goodness.ts';
import { nameOf, Rig } from './rig.ts';

const ROUNDS_OF_A_VERSION = 14;

/** What there is besides images and what people have made. */
const leftIn = ({ api }: World) => {
  const ofPeople: readonly string[] = PRECIOUS.map(({ name }) => name);
  const isLeft = (name = '') => !ofPeople.includes(name) && !name.startsWith('fedora-');
  const claims = api.list(persistentVolumeClaims).map(({ metadata }) => metadata?.name);
  const snapshots = api.list(volumeSnapshots).map(({ metadata }) => metadata?.name);
  return [...[...claims, ...snapshots].filter(isLeft), ...api.list(pods).map(({ metadata }) => metadata?.name)];
};

describe('controllers that end before their n-th request for the images of a DataImportCron, for every n', function () {
  this.timeout(120_000);
  for (const format of ['pvc', 'snapshot'] as const) {
    it(`lose no image and leave nothing, kept as a ${format}`, async () => {
      let requests = 0;
      for (let isDisturbed = true; isDisturbed; requests++) {
        const rig = await Rig.of({ format });
        const goodness = new Goodness(rig.world.api);
        isDisturbed = false;
        const end = async () => {
          isDisturbed = true;
          rig.world.restart();
          throw refusal(500, 'InternalError', 'the controllers have ended');
        };
        rig.world.interrupt(requests, end, ['data-import-cron', 'image-poll']);
        rig.create({ importsToKeep: 1 });
        await rig.rounds(ROUNDS_OF_A_VERSION);
        rig.publish(2);
        await rig.rounds(ROUNDS_OF_A_VERSION + 2);
        const what = `before request ${requests}`;
        expect(rig.standsFor, what).to.equal(`${format} ${nameOf(2)}`);
        expect(rig.condition('UpToDate'), what).to.include({ status: 'True', reason: 'UpToDate' });
        expect(rig.images, what).to.deep.equal({
          dataVolumes: format === 'pvc' ? [nameOf(2)] : [],
          claims: format === 'pvc' ? [nameOf(2)] : [],
          snapshots: format === 'snapshot' ? [nameOf(2)] : [],
        });
        expect(leftIn(rig.world), what).to.deep.equal([]);
        expect(goodness.breaches, what).to.deep.equal([]);
      }
      expect(requests).to.be.greaterThan(20);
    });
  }
});
