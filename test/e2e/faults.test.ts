import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { dataVolumes } from '../../src/api/data-volume.ts';
import { pods } from '../../src/kube/builtin-resources.ts';
import { keyOf, type ObjectKey } from '../../src/kube/key.ts';
import { dataVolume, untilSucceeded } from '../support/data-volumes.ts';
import { diskFile } from '../support/disk-images.ts';
import { until } from '../support/until.ts';
import { readVolume } from '../support/volume-content.ts';
import { webPath } from '../support/web-server.ts';
import { begin, makeGolden, type Stage, stages } from './support/stages.ts';
import { Started } from './support/started.ts';
import { useSuite } from './support/suite.ts';

/** Those that last for seconds are all in the middle when the last of them has come there. */
const isLong = ({ phase }: Stage) => ['ImportScheduled', 'ImportInProgress', 'CloneInProgress'].includes(phase);

const rounds: Record<string, { readonly includes: (stage: Stage) => boolean; readonly killAt: 'all' | 'any' }> = {
  'while pods work': { includes: isLong, killAt: 'all' },
  'while the storage works': { includes: (stage) => !isLong(stage), killAt: 'any' },
};

describe('faults', () => {
  const suite = useSuite();
  const golden = new Started<ObjectKey>();

  before(() => {
    for (const role of new Set(Object.values(stages).map((stage) => stage.role))) {
      if (suite.classes[role]) golden.start(role, () => makeGolden(suite, role));
    }
  });

  for (const [round, { includes, killAt }] of Object.entries(rounds)) {
    describe(`a controller that is killed ${round} is followed by one that finishes`, () => {
      const chosen = Object.entries(stages).filter(([, stage]) => includes(stage));
      const finished = new Started<string>();

      before(async function () {
        this.timeout(300_000);
        const possible = chosen.filter(([, stage]) => suite.classes[stage.role]);
        await Promise.all(possible.map(([, stage]) => golden.outcome(stage.role)));
        const namespace = await suite.newNamespace();
        const begun = possible.map(async ([title, stage]) => {
          const key = { namespace, name: title.replaceAll(' ', '-') };
          await begin(suite, key, stage, await golden.outcome(stage.role));
        });
        await (killAt === 'all' ? Promise.all(begun) : Promise.any(begun));
        await killController();
        await Promise.all(begun);
        for (const [title] of possible) {
          finished.start(title, async () => {
            const key = { namespace, name: title.replaceAll(' ', '-') };
            await untilSucceeded(suite.client, key, 180_000);
            return (await readVolume(suite, key, suite.disk.virtualSize)).sha256;
          });
        }
      });

      for (const [title, stage] of chosen) {
        it(title, async function () {
          this.timeout(300_000);
          if (!suite.classes[stage.role]) this.skip();
          expect(await finished.outcome(title)).to.equal(suite.disk.sha256);
        });
      }
    });
  }

  it('an importer that is killed is followed by one that succeeds', async function () {
    this.timeout(300_000);
    const stage = stages['an import without a populator'];
    const key = suite.key('killed-importer');
    if (!stage) throw new Error('the stage has another name now');
    await begin(suite, key, stage, key);
    const pod = { namespace: key.namespace, name: `importer-${key.name}` };
    await suite.client.delete(pods, pod, { gracePeriodSeconds: 0 });
    await untilSucceeded(suite.client, key, 180_000);
    expect((await readVolume(suite, key, suite.disk.virtualSize)).sha256).to.equal(suite.disk.sha256);
  });

  describe('an importer that is killed is followed by one that goes on from there', function () {
    this.timeout(300_000);
    const modes = ['Filesystem', 'Block'] as const;
    const finished = new Started<{ sent: number; sha256: string }>();

    before(() => {
      for (const volumeMode of modes) finished.start(volumeMode, () => killOnTheWay(volumeMode));
    });

    for (const volumeMode of modes)
      it(`on a ${volumeMode} volume`, async () => {
        const { sent, sha256 } = await finished.outcome(volumeMode);
        const { size } = await stat(join(suite.disk.folder, diskFile.qcow2));
        // All of it is sent. The disk is small, so that what was under way when the pod was killed is a large part of
        // it; from the start it would be 1.7.
        expect(sent).to.be.within(0.9 * size, 1.5 * size);
        expect(sha256).to.equal(suite.disk.sha256);
      });
  });

  async function killOnTheWay(volumeMode: 'Filesystem' | 'Block'): Promise<{ sent: number; sha256: string }> {
    const key = suite.key(`resumed-${volumeMode.toLowerCase()}`);
    // The server counts what it sends for each.
    const path = `${webPath.crawling}/${diskFile.qcow2}?${volumeMode}`;
    const annotations = { 'cdi.kubevirt.io/storage.usePopulator': 'false' };
    const options = { storageClassName: suite.classes.standard, volumeMode, annotations };
    await suite.client.create(dataVolumes, dataVolume(key, { http: { url: suite.web.url + path } }, options));
    await until(suite.client, dataVolumes, key, 'most of it is imported', (found) => {
      return Number.parseFloat(found?.status?.progress ?? '') > 70;
    });
    const pod = { namespace: key.namespace, name: `importer-${key.name}` };
    await suite.client.delete(pods, pod, { gracePeriodSeconds: 0 });
    await untilSucceeded(suite.client, key, 180_000);
    const sent = await suite.web.bytesSent(path);
    return { sent, sha256: (await readVolume(suite, key, suite.disk.virtualSize)).sha256 };
  }

  /** Kills the controller without warning, and resolves when its pod is gone. */
  async function killController(): Promise<void> {
    const { client } = suite;
    const [pod] = await client.list(pods, { namespace: 'cdi', labelSelector: 'cdi.kubevirt.io=cdi-deployment' });
    if (!pod) throw new Error('the controller does not run');
    await client.delete(pods, keyOf(pod), { gracePeriodSeconds: 0 });
    await until(client, pods, keyOf(pod), 'it is gone', (found) => found === undefined);
  }
});
