import { getEventListeners } from 'node:events';
import { expect } from 'chai';
import { type ConfigMap, configMaps, namespaces } from '../../../src/kube/builtin-resources.ts';
import { KubeClient } from '../../../src/kube/client.ts';
import { Informer, type InformerOptions } from '../../../src/kube/informer.ts';
import { defineIndex } from '../../../src/kube/object-index.ts';
import { defineResource, type KubeObject } from '../../../src/kube/resource.ts';
import { Metrics } from '../../../src/server/metrics.ts';
import { type ApiServer, kubernetesIsBuilt, startApiServer } from '../../support/api-server.ts';
import { eventually } from '../../support/eventually.ts';
import { silentLogger } from '../../support/logger.ts';
import { valueOf } from '../../support/metric.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';

const crds = defineResource<KubeObject & { spec: object }>({
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  namespaced: false,
});

describe('Informer against a real API server', function () {
  this.timeout(90_000);
  let server: ApiServer;
  let admin: KubeClient;
  let proxy: TcpProxy;
  let watcher: KubeClient;
  let metrics: Metrics;
  let stop: AbortController;
  let stopped: Promise<void>[];
  let namespace: string;
  let namespaceCount = 0;

  before(kubernetesIsBuilt);
  before(async () => {
    server = await startApiServer();
    admin = new KubeClient(server.kubeConfig());
  });
  after(async () => {
    await admin.close();
    await server.stop();
  });

  beforeEach(async () => {
    namespace = `informer-${++namespaceCount}`;
    await admin.create(namespaces, { metadata: { name: namespace } });
    proxy = await TcpProxy.start(server.port);
    metrics = new Metrics();
    watcher = new KubeClient(server.kubeConfig({ port: proxy.port }), { metrics });
    stop = new AbortController();
    stopped = [];
  });
  afterEach(async () => {
    stop.abort();
    await Promise.all(stopped);
    await watcher.close();
    await proxy.close();
  });

  /** An informer of the namespace's config maps, started and synced, and the changes that it tells of, as text. */
  async function start(options: InformerOptions<ConfigMap> = {}): Promise<{
    informer: Informer<ConfigMap>;
    changes: string[];
  }> {
    const informer = new Informer(watcher, configMaps, { namespace, ...options, logger: silentLogger(), metrics });
    const changes: string[] = [];
    informer.onChange(({ type, object }) => changes.push(`${type} ${object.metadata?.name}`));
    stopped.push(informer.start(stop.signal));
    await informer.waitForSync();
    await eventually('it watches', () => valueOf(metrics.requests, { verb: 'watch', code: 200 }));
    return { informer, changes };
  }

  const create = (name: string, data: Record<string, string> = {}) =>
    admin.create(configMaps, { metadata: { namespace, name }, data });
  const set = (name: string, data: Record<string, string>) =>
    admin.mergePatch(configMaps, { namespace, name }, { data });
  const remove = (name: string) => admin.delete(configMaps, { namespace, name });
  const names = (informer: Informer<ConfigMap>) =>
    informer
      .list()
      .map(({ metadata }) => metadata!.name!)
      .sort();
  const lists = () => valueOf(metrics.informerLists);
  const ends = (reason: string) => valueOf(metrics.informerWatchEnds, { reason });

  describe('with a good connection', () => {
    it('has what is there, and follows every change', async () => {
      await create('early');
      const { informer, changes } = await start();
      expect(informer.hasSynced).to.equal(true);
      await create('late', { a: '1' });
      await set('late', { a: '2' });
      await remove('early');
      await eventually('all changes', () => changes.length === 4);
      expect(changes).to.deep.equal(['added early', 'added late', 'modified late', 'deleted early']);
      expect(informer.get({ namespace, name: 'late' })?.data).to.deep.equal({ a: '2' });
      expect(names(informer)).to.deep.equal(['late']);
    });

    it('keeps what is asked for, of the objects that are selected, and lets nobody change it', async () => {
      await admin.apply(
        configMaps,
        {
          metadata: { namespace, name: 'kept', labels: { keep: 'yes' } },
          data: { small: '1', large: 'x'.repeat(1000) },
        },
        { fieldManager: 'tests' },
      );
      await create('ignored');
      const prune = (object: ConfigMap) => {
        delete object.data?.large;
        return object;
      };
      const { informer } = await start({ labelSelector: 'keep=yes', prune });
      const [object, ...others] = informer.list();
      expect(others).to.deep.equal([]);
      expect(object?.data).to.deep.equal({ small: '1' });
      expect(object?.metadata).to.not.have.property('managedFields');
      expect(() => (object!.data!.small = '2')).to.throw(TypeError);
    });

    it('keeps its indexes right', async () => {
      const { informer } = await start();
      const byColour = defineIndex<ConfigMap>(({ data }) => (data?.colour ? [data.colour] : []));
      await create('one', { colour: 'red' });
      await create('two', { colour: 'red' });
      await eventually('both are red', () => informer.byIndex(byColour, 'red').length === 2);
      await set('one', { colour: 'blue' });
      await remove('two');
      await eventually('none is red', () => informer.byIndex(byColour, 'red').length === 0);
      expect(informer.byIndex(byColour, 'blue').map(({ metadata }) => metadata?.name)).to.deep.equal(['one']);
    });

    it('reads thousands of objects in pages', async () => {
      for (let start = 0; start < 2100; start += 100) {
        await Promise.all(Array.from({ length: 100 }, (_, index) => create(`object-${start + index}`)));
      }
      const { informer } = await start();
      expect(informer.size).to.equal(2100);
      expect(await valueOf(metrics.requests, { verb: 'list' })).to.equal(5);

      // The same over a slow link: each chunk comes late.
      proxy.delay(10);
      const { informer: slow } = await start({ labelSelector: 'no!=such' });
      expect(slow.size).to.equal(2100);
      await create('another');
      await eventually('the slow one sees a change', () => slow.get({ namespace, name: 'another' }));
    });

    it('takes a resource whose CRD is missing for one without objects, until it is there', async () => {
      const widgets = defineResource({
        group: 'example.com',
        version: 'v1',
        kind: 'Widget',
        plural: 'widgets',
        namespaced: true,
      });
      const backoff = { base: 100, max: 500 };
      const informer = new Informer(watcher, widgets, { mayBeAbsent: true, backoff, logger: silentLogger(), metrics });
      stopped.push(informer.start(stop.signal));
      await informer.waitForSync();
      expect(informer.list()).to.deep.equal([]);
      await admin.create(crds, {
        metadata: { name: 'widgets.example.com' },
        spec: {
          group: 'example.com',
          scope: 'Namespaced',
          names: { plural: 'widgets', kind: 'Widget' },
          versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
        },
      });
      await eventually('the CRD works', () => admin.create(widgets, { metadata: { namespace, name: 'one' } }));
      await eventually('the object', () => informer.get({ namespace, name: 'one' }));
    });

    it('begins a new watch when the server ends one, without listing', async () => {
      const { informer } = await start({ watchSeconds: 1 });
      await eventually('watches end', async () => (await ends('done')) >= 3);
      await create('later');
      await eventually('a change', () => informer.get({ namespace, name: 'later' }));
      expect(await lists()).to.equal(1);
    });

    it('stops when told to, and leaves nothing behind', async () => {
      await start({ watchSeconds: 1 });
      await eventually('watches end', async () => (await ends('done')) >= 2);
      stop.abort();
      await Promise.all(stopped);
      expect(getEventListeners(stop.signal, 'abort')).to.have.length(0);
    });
  });

  describe('with a bad one', () => {
    it('goes on where it was when the connection is cut', async () => {
      await create('kept');
      await create('removed');
      const { informer, changes } = await start();
      proxy.refuse(true);
      await remove('removed');
      await create('new');
      await eventually('it tries to reconnect', async () => (await ends('unserved')) >= 2);
      proxy.refuse(false);
      await eventually('it caught up', () => names(informer).join() === 'kept,new');
      expect(changes.slice(2).sort()).to.deep.equal(['added new', 'deleted removed']);
      expect(await lists()).to.equal(1);
    });

    it('backs off while it cannot reconnect', async () => {
      await start();
      const before = proxy.connections;
      proxy.refuse(true);
      await new Promise((resolve) => setTimeout(resolve, 3000));
      // 100 ms, doubled each time: five or six tries, give or take the jitter.
      expect(proxy.connections - before).to.be.within(2, 9);
    });

    it('notices a connection through which nothing comes any more', async () => {
      const { informer } = await start({ idleTimeout: 2000 });
      proxy.stall();
      await create('unheard');
      await eventually('it saw the object', () => informer.get({ namespace, name: 'unheard' }));
      expect(await ends('broken')).to.be.greaterThan(0);
    });

    it('says that it is silent, and recovers', async () => {
      const { informer } = await start({ idleTimeout: 1000, backoff: { base: 100, max: 500 } });
      expect(informer.problem).to.equal(undefined);
      proxy.stallAll(true);
      const problem = await eventually('it says so', () => informer.problem);
      expect(problem).to.match(/^silent for \d+ s$/);
      proxy.stallAll(false);
      proxy.cut();
      await create('after');
      await eventually('it recovered', () => informer.get({ namespace, name: 'after' }));
      expect(informer.problem).to.equal(undefined);
    });

    it('survives the death of the API server', async () => {
      await create('before');
      const { informer } = await start({ backoff: { base: 100, max: 500 } });
      await server.kill();
      await eventually('it tries to reconnect', async () => (await ends('unserved')) >= 2);
      expect(names(informer)).to.deep.equal(['before']);
      await server.restart();
      await remove('before');
      await create('after');
      await eventually('it follows again', () => names(informer).join() === 'after');
    });

    it('waits for an API server that is not there yet', async () => {
      await server.kill();
      const informer = new Informer(watcher, configMaps, { namespace, logger: silentLogger(), metrics });
      stopped.push(informer.start(stop.signal));
      expect(informer.problem).to.equal('the first list is not complete');
      await server.restart();
      await informer.waitForSync();
    });

    it('survives an API server that is stopped for a while', async () => {
      const { informer } = await start({ idleTimeout: 1000 });
      server.pause();
      await eventually('it gave up a watch', async () => (await ends('broken')) >= 1);
      server.resume();
      await create('after');
      await eventually('it follows again', () => informer.get({ namespace, name: 'after' }));
    });

    it('lists again when its version is gone, and tells what was deleted meanwhile', async () => {
      await create('kept');
      await create('removed');
      await create('remade', { generation: 'first' });
      const { informer, changes } = await start({ backoff: { base: 100, max: 500 } });
      proxy.refuse(true);
      await remove('removed');
      await remove('remade');
      await create('remade', { generation: 'second' });
      await create('new');
      await server.restart();
      await server.compact();
      proxy.refuse(false);
      await eventually('it caught up', () => names(informer).join() === 'kept,new,remade');
      expect(changes.slice(3).sort()).to.deep.equal(['added new', 'added remade', 'deleted remade', 'deleted removed']);
      expect(informer.get({ namespace, name: 'remade' })?.data).to.deep.equal({ generation: 'second' });
      expect(await ends('expired')).to.equal(1);
      expect(await lists()).to.equal(2);
    });
  });
});
