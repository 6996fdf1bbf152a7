import { dataVolumes } from '../../src/api/data-volume.ts';
import { persistentVolumeClaims, pods } from '../../src/kube/builtin-resources.ts';
import type { ObjectKey } from '../../src/kube/key.ts';
import { mountingPodName, temporaryClaimName } from '../../src/protocol/object-names.ts';
import { dataVolume, untilSucceeded } from '../support/data-volumes.ts';
import { until } from '../support/until.ts';
import { hasOwnDriver, ownClass } from './support/own-classes.ts';
import { begin, makeGolden, stages } from './support/stages.ts';
import { Started } from './support/started.ts';
import { useSuite } from './support/suite.ts';
import { tracesIn, untilNothingElse } from './support/traces.ts';

describe('deletion', () => {
  const suite = useSuite();
  const golden = new Started<ObjectKey>();

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

  it('in the middle of growth, for which a pod mounts the clone, leaves nothing behind', async function () {
    this.timeout(300_000);
    if (!hasOwnDriver(suite)) this.skip();
    const { client } = suite;
    await Promise.all(roles().map((role) => golden.outcome(role)));
    const storageClassName = await ownClass(suite, 'growing-on-nodes', { enforceSize: 'true' }, 'csi-clone');
    const source = suite.key('small');
    await client.create(dataVolumes, dataVolume(source, { blank: {} }, { storageClassName, size: '320Mi' }));
    await untilSucceeded(client, source);
    const before = await tracesIn(client, [suite.namespace]);
    const key = suite.key('to-be-deleted-while-growing');
    await client.create(dataVolumes, dataVolume(key, { pvc: source }, { storageClassName, size: '400Mi' }));
    const target = await until(client, persistentVolumeClaims, key, 'it is there', (claim) => claim);
    const temporary = suite.key(temporaryClaimName(target.metadata?.uid ?? ''));
    const grown = await until(client, persistentVolumeClaims, temporary, 'it is there', (claim) => claim);
    const pod = suite.key(mountingPodName(grown.metadata?.uid ?? ''));
    await until(client, pods, pod, 'it is scheduled', (found) => found?.spec?.nodeName);
    await client.delete(dataVolumes, key);
    await untilNothingElse(client, [suite.namespace], before);
  });
});
