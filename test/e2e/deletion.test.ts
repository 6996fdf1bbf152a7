import { dataVolumes } from '../../src/controllers/resources.ts';
import type { Key } from '../../src/kube/key.ts';
import type { StorageClasses } from '../support/storage-classes.ts';
import { until } from '../support/until.ts';
import { makeGolden, begin, stages } from './support/stages.ts';
import { Started } from './support/started.ts';
import { useSuite } from './support/suite.ts';
import { tracesIn, untilNothingElse } from './support/traces.ts';

describe('deletion', () => {
  const suite = useSuite();
  const golden = new Started<Key>();

  before(() => {
    for (const role of new Set(Object.values(stages).map((stage) => stage.role))) {
      if (suite.classes[role]) golden.start(role, () => makeGolden(suite, role));
    }
  });

  for (const [title, stage] of Object.entries(stages)) {
    it(`in the middle of ${title} leaves nothing behind`, async function () {
      this.timeout(300_000);
      if (!suite.classes[stage.role]) this.skip();
      const source = await golden.outcome(stage.role);
      const namespaces = [suite.namespace, await suite.newNamespace()] as const;
      // The golden disk's own working objects must be gone before they are counted.
      await untilNothingElse(suite.client, namespaces, await settled(namespaces, stage.role));
      const before = await tracesIn(suite.client, namespaces);
      const key = { namespace: namespaces[1], name: 'to-be-deleted' };
      await begin(suite, key, stage, source);
      await suite.client.delete(dataVolumes, key);
      await until(suite.client, dataVolumes, key, 'it is gone', (object) => object === undefined);
      await untilNothingElse(suite.client, namespaces, before);
    });
  }

  /** What stays once all golden disks are made. */
  async function settled(namespaces: readonly string[], role: keyof StorageClasses): Promise<string[]> {
    await Promise.all(
      [...new Set(Object.values(stages).map((stage) => stage.role))]
        .filter((each) => each === role || suite.classes[each])
        .map((each) => golden.outcome(each)),
    );
    const traces = await tracesIn(suite.client, namespaces);
    return traces.filter((trace) => !/ (Pod|\S*\/(tmp|prime|importer|cdi-upload)-)/.test(` ${trace}`));
  }
});
