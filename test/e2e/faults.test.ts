import { expect } from 'chai';
import { pods } from '../../src/kube/builtin-resources.ts';
import { keyOf, type Key } from '../../src/kube/key.ts';
import { untilSucceeded } from '../support/data-volumes.ts';
import { until } from '../support/until.ts';
import { readVolume } from '../support/volume-content.ts';
import { makeGolden, begin, stages } from './support/stages.ts';
import { Started } from './support/started.ts';
import { useSuite } from './support/suite.ts';

describe('faults', () => {
  const suite = useSuite();
  const golden = new Started<Key>();

  before(() => {
    for (const role of new Set(Object.values(stages).map((stage) => stage.role))) {
      if (suite.classes[role]) golden.start(role, () => makeGolden(suite, role));
    }
  });

  for (const [title, stage] of Object.entries(stages)) {
    it(`a controller that is killed in the middle of ${title} is followed by one that finishes it`, async function () {
      this.timeout(300_000);
      if (!suite.classes[stage.role]) this.skip();
      const source = await golden.outcome(stage.role);
      const key = { namespace: await suite.newNamespace(), name: 'interrupted' };
      await begin(suite, key, stage, source);
      await killController();
      await untilSucceeded(suite.client, key, 180_000);
      expect((await readVolume(suite, key, suite.disk.virtualSize)).sha256).to.equal(suite.disk.sha256);
    });
  }

  it('an importer that is killed is followed by one that succeeds, and counts as a restart', async function () {
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

  /** Kills the controller without warning, and resolves when its pod is gone. */
  async function killController(): Promise<void> {
    const { client } = suite;
    const [pod] = await client.list(pods, { namespace: 'cdi', labelSelector: 'cdi.kubevirt.io=cdi-deployment' });
    if (!pod) throw new Error('the controller does not run');
    await client.delete(pods, keyOf(pod), { gracePeriodSeconds: 0 });
    await until(client, pods, keyOf(pod), 'it is gone', (found) => found === undefined);
  }
});
