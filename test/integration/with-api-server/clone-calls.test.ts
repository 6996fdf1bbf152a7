import { expect } from 'chai';
import { request } from 'undici';
import { cdis } from '../../../src/api/cdi.ts';
import { addControllers } from '../../../src/controllers/manager.ts';
import { persistentVolumeClaims } from '../../../src/kube/builtin-resources.ts';
import { KubeClient } from '../../../src/kube/client.ts';
import { Manager } from '../../../src/kube/manager.ts';
import { callsIn, MetricSamples } from '../../bench/metric-samples.ts';
import {
  createClone,
  createGoldenImage,
  goldenImageOf,
  install,
  strategies,
  type Strategy,
} from '../../bench/scale/api-with-storage.ts';
import { simulateStorage } from '../../bench/scale/simulated-storage.ts';
import { type ApiServer, kubernetesIsBuilt, startApiServer } from '../../support/api-server.ts';
import { untilSucceeded } from '../../support/data-volumes.ts';
import { eventually } from '../../support/eventually.ts';
import { silentLogger } from '../../support/logger.ts';
import { until } from '../../support/until.ts';

/** What the controllers may ask of the API server for one clone, at most. */
const CALLS_MAX: Readonly<Record<Strategy, number>> = {
  'csi-clone': 12,
  snapshot: 16,
  grow: 13,
  'other-namespace': 16,
};
const CLONES = 5;

describe('API calls of clones by the storage, which is simulated', () => {
  const ending = new AbortController();
  let server: ApiServer;
  let client: KubeClient;
  let controllers: Manager;
  let running: Promise<unknown>;

  before(kubernetesIsBuilt);
  before(async function () {
    this.timeout(120_000);
    server = await startApiServer({});
    client = new KubeClient(server.kubeConfig());
    await install(server, client);
    const options = { kubeConfig: server.kubeConfig(), logger: silentLogger() };
    const storage = new Manager({ ...options, component: 'simulation' });
    simulateStorage(storage);
    const kubeConfig = server.kubeConfig({ token: server.controllersToken });
    controllers = new Manager({ ...options, kubeConfig, component: 'cdi-controller', port: 0, host: '127.0.0.1' });
    addControllers(controllers, { image: 'localhost/diskpress:none', namespace: 'cdi', version: 'test' });
    running = Promise.all([storage.run(ending.signal), controllers.run(ending.signal)]);
    await until(client, cdis, { namespace: '', name: 'cdi' }, 'its status is told', (cdi) => {
      return cdi?.status?.phase !== undefined;
    });
    await eventually('the policies are in force, and the controllers ready', async () => {
      const { statusCode, body } = await request(`http://127.0.0.1:${controllers.port}/readyz`);
      await body.dump();
      return statusCode === 200;
    });
  });

  after(async () => {
    ending.abort();
    await running;
    await client.close();
    await server.stop();
  });

  const calls = async () => callsIn(new MetricSamples(await controllers.metrics.registry.metrics()));

  /** The number of calls once the controllers have told all that they had to, and left nothing of a clone's own. */
  async function whenOver(): Promise<number> {
    await eventually('nothing temporary is left', async () =>
      (await client.list(persistentVolumeClaims)).every(
        ({ metadata }) =>
          metadata?.name?.startsWith('tmp-') === false && !metadata.finalizers?.some((each) => each.includes('cdi')),
      ),
    );
    await controllers.events.flush();
    return calls();
  }

  for (const [index, strategy] of strategies.entries()) {
    it(`are at most ${CALLS_MAX[strategy]} each: ${strategy}`, async function () {
      this.timeout(60_000);
      await createGoldenImage(client, strategy);
      await until(client, persistentVolumeClaims, goldenImageOf(strategy), 'it is bound', (claim) => {
        return claim?.status?.phase === 'Bound';
      });
      const before = await whenOver();
      const numbers = Array.from({ length: CLONES }, (_, each) => index * CLONES + each);
      for (const number of numbers) {
        await createClone(client, strategy, number);
        await untilSucceeded(client, { namespace: 'clones', name: `clone-${number}` });
      }
      const each = ((await whenOver()) - before) / CLONES;
      expect(each).to.be.at.most(CALLS_MAX[strategy]);
    });
  }
});
