import { dataVolumes } from '../../src/controllers/resources.ts';
import type { Key } from '../../src/kube/key.ts';
import { until } from '../support/until.ts';
import { makeGolden, begin, stages } from './support/stages.ts';
import { Started } from './support/started.ts';
import { useSuite } from './support/suite.ts';
import { tracesIn, untilNothingElse } from './support/traces.ts';

describe('deletion', () => {
  const suite = useSuite();
  const golden = new Started<Key>();

  const roles = () => [...new Set(Object.values(stages).map(({ role }) => role))].filter((role) => suite.classes[role]);

  before(() => {
    for (const role of roles()) golden.start(role, () => makeGolden(suite, role));
  });

  for (const [title, stage] of Object.entries(stages)) {
    it(`in the middle of ${title} leaves nothing behind`, async function () {
      this.timeout(300_000);
      if (!suite.classes[stage.role]) this.skip();
      const source = await golden.outcome(stage.role);
      // Nothing else is made from now on.
      await Promise.all(roles().map((role) => golden.outcome(role)));
      const namespaces = [suite.namespace, await suite.newNamespace()] as const;
      const before = await tracesIn(suite.client, namespaces);
      const key = { namespace: namespaces[1], name: 'to-be-deleted' };
      await begin(suite, key, stage, source);
      await suite.client.delete(dataVolumes, key);
      await until(suite.client, dataVolumes, key, 'it is gone', (object) => object === undefined);
      await untilNothingElse(suite.client, namespaces, before);
    });
  }
});
