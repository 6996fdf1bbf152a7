import { expect } from 'chai';
import { configMaps, events, leases, namespaces } from '../../../src/kube/builtin-resources.ts';
import { KubeClient } from '../../../src/kube/client.ts';
import { enqueueFrom } from '../../../src/kube/event-source.ts';
import { Manager } from '../../../src/kube/manager.ts';
import { type ApiServer, kubernetesIsBuilt, startApiServer } from '../../support/api-server.ts';
import { eventually } from '../../support/eventually.ts';
import { type Grant, grantRights, type LimitedUser, tokensOf, usersLackingOne } from '../../support/grants.ts';
import { Kubectl } from '../../support/kubectl.ts';
import { silentLogger } from '../../support/logger.ts';
import { valueOf } from '../../support/metric.ts';

const needed: readonly Grant[] = [
  ...['list', 'watch'].map((verb) => ({ group: '', resource: 'configmaps', verb })),
  ...['create', 'patch'].map((verb) => ({ group: '', resource: 'events', verb })),
  ...['get', 'create', 'update'].map((verb) => ({ group: 'coordination.k8s.io', resource: 'leases', verb })),
].map((each) => ({ ...each, name: undefined, namespace: undefined }));
/** Each has the rights in a namespace of his own. */
const users = usersLackingOne(needed).map((user) => ({
  ...user,
  rights: user.rights.map((right) => ({ ...right, namespace: user.name })),
}));

describe('the rights that a Manager needs for its caches, its lease and events', function () {
  this.timeout(60_000);
  const ending = new AbortController();
  let server: ApiServer;
  let client: KubeClient;
  let managers: Manager[];
  let running: Promise<unknown>;

  before(kubernetesIsBuilt);
  before(async () => {
    server = await startApiServer({ tokens: tokensOf(users) });
    client = new KubeClient(server.kubeConfig());
    for (const { name } of users) await client.create(namespaces, { metadata: { name } });
    const kubectl = await Kubectl.create(server.kubeConfigPath);
    await grantRights(kubectl, users);
    await kubectl.remove();
    managers = users.map(managerOf);
    running = Promise.allSettled(managers.map((manager) => manager.run(ending.signal)));
    for (const { name } of users) await client.create(configMaps, { metadata: { namespace: name, name: 'first' } });
    await eventually('everything is done', () => isDone('user-0'));
  });
  after(async () => {
    ending.abort();
    await running;
    await client?.close();
    await server?.stop();
  });

  /** A manager that tells of each object twice. */
  function managerOf({ name: namespace, token }: LimitedUser): Manager {
    const manager = new Manager({
      kubeConfig: server.kubeConfig({ token }),
      logger: silentLogger(),
      leaderElection: { namespace, name: 'lease', identity: namespace, retryPeriod: 200 },
    });
    const informer = manager.informer(configMaps, { namespace });
    const reconcile = async (key: { namespace: string; name: string }) => {
      const object = informer.get(key);
      if (!object) return undefined;
      for (let time = 0; time < 2; time++) {
        manager.events.event(object, { type: 'Normal', reason: 'Seen', message: 'seen' });
        await manager.events.flush();
      }
      return undefined;
    };
    manager.addController({ name: 'telling', reconcile }, { watches: [enqueueFrom(informer)] });
    return manager;
  }

  /** Whether the lease is held and renewed, and an object that came later has been told of. */
  async function isDone(namespace: string): Promise<boolean> {
    const { spec } = (await client.get(leases, { namespace, name: 'lease' })) ?? {};
    const told = await client.list(events, { namespace });
    return (
      spec?.holderIdentity === namespace &&
      spec.renewTime !== spec.acquireTime &&
      told.some(({ count, reason }) => reason === 'Seen' && count === 2)
    );
  }

  it('are all of them', async () => {
    const refused = await valueOf(managers[0]!.metrics.requests, { code: 403 });
    expect(refused).to.equal(0);
  });

  for (const [index, { verb, resource }] of needed.entries()) {
    it(`are needed: ${verb} ${resource}`, async () => {
      const { metrics } = managers[index + 1]!;
      await eventually('it is refused', async () => (await valueOf(metrics.requests, { verb, code: 403 })) > 0);
      // What was there before the first list is known without a watch.
      if (verb !== 'watch') expect(await isDone(`user-${index + 1}`), 'whether everything is done').to.equal(false);
    });
  }
});
