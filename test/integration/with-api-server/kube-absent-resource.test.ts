import { expect } from 'chai';
import { KubeClient } from '../../../src/kube/client.ts';
import { Informer } from '../../../src/kube/informer.ts';
import { defineResource, type KubeObject } from '../../../src/kube/resource.ts';
import { Metrics } from '../../../src/server/metrics.ts';
import { type ApiServer, kubernetesIsBuilt, startApiServer } from '../../support/api-server.ts';
import { eventually } from '../../support/eventually.ts';
import { silentLogger } from '../../support/logger.ts';

const group = 'example.test';
const widgets = defineResource<KubeObject>({
  group,
  version: 'v1',
  kind: 'Widget',
  plural: 'widgets',
  namespaced: true,
});
const definitions = defineResource<KubeObject & { spec: object }>({
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  namespaced: false,
});

describe('Informer of a resource that is not installed', function () {
  this.timeout(60_000);
  let server: ApiServer;
  let client: KubeClient;
  const stop = new AbortController();

  before(kubernetesIsBuilt);
  before(async () => {
    server = await startApiServer();
    client = new KubeClient(server.kubeConfig());
  });
  after(async () => {
    stop.abort();
    await client.close();
    await server.stop();
  });

  it('is ready with nothing in it where that is allowed, and fills when the resource is installed', async () => {
    const informer = new Informer(client, widgets, {
      mayBeAbsent: true,
      backoff: { base: 100, max: 500, jitter: 0 },
      logger: silentLogger(),
      metrics: new Metrics(),
    });
    void informer.start(stop.signal);
    await informer.waitForSync();
    expect(informer.problem).to.equal(undefined);
    expect(informer.list()).to.deep.equal([]);

    await client.create(definitions, {
      metadata: { name: `widgets.${group}` },
      spec: {
        group,
        scope: 'Namespaced',
        names: { plural: 'widgets', singular: 'widget', kind: 'Widget' },
        versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
      },
    });
    await eventually('the widget is served', async () => {
      try {
        await client.create(widgets, { metadata: { namespace: 'default', name: 'one' } });
        return true;
      } catch {
        return false;
      }
    });
    await eventually('the informer has it', () => informer.get({ namespace: 'default', name: 'one' }) !== undefined);
  });

  it('is not ready where the resource has to be there', async () => {
    const missing = defineResource<KubeObject>({ ...widgets, kind: 'Gadget', plural: 'gadgets' });
    const informer = new Informer(client, missing, { logger: silentLogger(), metrics: new Metrics() });
    void informer.start(stop.signal);
    let synced = false;
    void informer.waitForSync().then(() => (synced = true));
    await eventually('it has tried', () => informer.problem !== undefined);
    expect(synced).to.equal(false);
  });
});
