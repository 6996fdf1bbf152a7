import { expect } from 'chai';
import { addControllers } from '../../../src/controllers/manager.ts';
import { isForbidden } from '../../../src/kube/errors.ts';
import type { InformerOptions } from '../../../src/kube/informer.ts';
import type { Manager } from '../../../src/kube/manager.ts';
import type { KubeObject, Resource } from '../../../src/kube/resource.ts';
import { Metrics } from '../../../src/server/metrics.ts';
import { describeGrant, type Grant, grantsIn } from '../../support/grants.ts';
import { Authorizer } from './world/authorizer.ts';
import { SilentCache } from './world/lagging-caches.ts';
import { type Scenario, scenarios } from './world/scenarios.ts';

const ofCache = ({ verb, resource }: Grant): boolean => verb === 'watch' || (verb === 'list' && resource !== 'events');
/** What the Manager itself asks for: test/integration/with-api-server/manager-rights.test.ts takes that away. */
const ofManager = ({ verb, resource }: Grant): boolean =>
  resource === 'leases' || (resource === 'events' && verb !== 'list');

const granted = grantsIn('base/rbac.yaml');

/** Plays a scenario. Returns which grants were needed, and whether a controller was stopped by a refusal. */
async function play(
  scenario: Scenario,
  grants: readonly Grant[],
): Promise<{ used: ReadonlySet<Grant>; isStopped: boolean }> {
  const { authorize, used } = new Authorizer(grants);
  let isStopped = false;
  const onFailure = (failure: Error) => {
    isStopped ||= isForbidden(failure) || isForbidden(failure.cause);
  };
  await scenario({ authorize, onFailure });
  return { used, isStopped };
}

describe('the rights of the controllers', function () {
  this.timeout(60_000);
  const users = new Map<Grant, Scenario[]>();

  before(async () => {
    for (const scenario of scenarios) {
      const { used, isStopped } = await play(scenario, granted);
      expect(isStopped, 'refused with all rights').to.equal(false);
      for (const grant of used) users.set(grant, [...(users.get(grant) ?? []), scenario]);
    }
  });

  it('to list and to watch are those of the caches, each of which is needed before anything begins', () => {
    const { authorize, used } = new Authorizer(granted);
    const manager = {
      informer: (resource: Resource<KubeObject>, { namespace, fieldSelector }: InformerOptions<KubeObject> = {}) => {
        const name = fieldSelector?.replace('metadata.name=', '');
        for (const verb of ['list', 'watch'] as const) authorize({ verb, resource, namespace, name });
        return new SilentCache();
      },
      addController: () => undefined,
      addReadyCheck: () => undefined,
      metrics: new Metrics(),
    } as unknown as Manager;
    addControllers(manager, { image: 'diskpress', namespace: 'cdi', version: 'test' });
    expect([...used].map(describeGrant)).to.have.members(granted.filter(ofCache).map(describeGrant));
  });

  for (const grant of granted.filter((each) => !ofManager(each) && !ofCache(each))) {
    it(`are needed: ${describeGrant(grant)}`, async () => {
      const others = granted.filter((each) => each !== grant);
      for (const scenario of users.get(grant) ?? []) if ((await play(scenario, others)).isStopped) return;
      expect.fail(users.has(grant) ? 'its loss stops nobody' : 'nobody asks for it');
    });
  }
});
