import { expect } from 'chai';
import {
  type ConfigMap,
  configMaps,
  type Event,
  events,
  namespaces,
  nodes,
} from '../../../src/kube/builtin-resources.ts';
import { KubeClient } from '../../../src/kube/client.ts';
import { EventRecorder } from '../../../src/kube/events.ts';
import type { KubeObject } from '../../../src/kube/resource.ts';
import { Metrics } from '../../../src/server/metrics.ts';
import { type ApiServer, kubernetesIsBuilt, startApiServer } from '../../support/api-server.ts';
import { silentLogger } from '../../support/logger.ts';
import { valueOf } from '../../support/metric.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';

describe('EventRecorder against a real API server', function () {
  this.timeout(60_000);
  let server: ApiServer;
  let client: KubeClient;
  let recorder: EventRecorder;
  let metrics: Metrics;
  let object: ConfigMap;
  let count = 0;

  before(kubernetesIsBuilt);
  before(async () => {
    server = await startApiServer();
    client = new KubeClient(server.kubeConfig());
    await client.create(namespaces, { metadata: { name: 'events' } });
  });
  after(async () => {
    await client.close();
    await server.stop();
  });
  beforeEach(async () => {
    metrics = new Metrics();
    recorder = new EventRecorder(client, { component: 'tests', logger: silentLogger(), metrics });
    object = await client.create(configMaps, { metadata: { namespace: 'events', name: `object-${++count}` } });
  });

  /** The events about an object, as `kubectl describe` selects them. */
  async function eventsOf({ metadata }: KubeObject): Promise<Event[]> {
    await recorder.flush();
    const fieldSelector = `involvedObject.uid=${metadata?.uid}`;
    return client.list(events, { namespace: metadata?.namespace ?? 'default', fieldSelector });
  }

  it('writes what kubectl describe shows', async () => {
    recorder.event(object, { type: 'Warning', reason: 'Failed', message: 'it failed' });
    const [event, ...others] = await eventsOf(object);
    expect(others).to.deep.equal([]);
    expect(event).to.deep.include({ type: 'Warning', reason: 'Failed', message: 'it failed', count: 1 });
    expect(event?.source?.component).to.equal('tests');
    expect(event?.involvedObject).to.include({ kind: 'ConfigMap', namespace: 'events', name: object.metadata?.name });
    expect(Date.now() - Date.parse(event!.lastTimestamp!)).to.be.within(0, 10_000);
  });

  it('counts up one event when the same thing happens again and again', async () => {
    for (let i = 0; i < 5; i++) {
      recorder.event(object, { type: 'Warning', reason: 'Failed', message: 'it failed' });
      await recorder.flush();
    }
    expect((await eventsOf(object)).map((event) => event.count)).to.deep.equal([5]);
  });

  it('writes once what happens many times at once', async () => {
    for (let i = 0; i < 20; i++) recorder.event(object, { type: 'Normal', reason: 'Again', message: 'again' });
    expect((await eventsOf(object)).map((event) => event.count)).to.deep.equal([20]);
    expect(await valueOf(metrics.events, { result: 'written' })).to.be.lessThan(3);
  });

  it('joins many messages that differ in details', async () => {
    for (let i = 0; i < 15; i++) recorder.event(object, { type: 'Normal', reason: 'Progress', message: `${i} of 15` });
    const written = await eventsOf(object);
    expect(written).to.have.length(11);
    const combined = written.find(({ message }) => message?.startsWith('(combined from similar events)'));
    expect(combined?.count).to.equal(5);
  });

  it('keeps the events of different speakers apart', async () => {
    const event = { type: 'Normal', reason: 'Said', message: 'hello' } as const;
    recorder.event(object, event);
    recorder.event(object, { ...event, component: 'another' });
    expect((await eventsOf(object)).map(({ source }) => source?.component).sort()).to.deep.equal(['another', 'tests']);
  });

  it('writes events about objects of the cluster to the namespace default', async () => {
    const node = await client.create(nodes, { metadata: { name: 'node' } });
    recorder.event(node, { type: 'Normal', reason: 'Seen', message: 'it is there' });
    expect((await eventsOf(node)).map(({ metadata }) => metadata?.namespace)).to.deep.equal(['default']);
  });

  it('makes an event anew that the server forgot', async () => {
    const event = { type: 'Normal', reason: 'Again', message: 'again' } as const;
    recorder.event(object, event);
    const [{ metadata } = {}] = await eventsOf(object);
    await client.delete(events, { namespace: 'events', name: metadata!.name! });
    recorder.event(object, event);
    expect((await eventsOf(object)).map((written) => written.count)).to.deep.equal([2]);
  });

  it('takes messages that are too long', async () => {
    recorder.event(object, { type: 'Normal', reason: 'Long', message: 'x'.repeat(5000) });
    expect((await eventsOf(object))[0]?.message).to.have.length(1024);
  });

  it('gives up quietly where nothing can be written', async () => {
    recorder.event(
      { ...object, metadata: { ...object.metadata, namespace: 'no-such-namespace' } },
      { type: 'Normal', reason: 'Lost', message: 'lost' },
    );
    await recorder.flush();
    expect(await valueOf(metrics.events, { result: 'failed' })).to.equal(1);
  });

  it('survives a connection that is cut for a moment', async () => {
    const proxy = await TcpProxy.start(server.port);
    const cut = new KubeClient(server.kubeConfig({ port: proxy.port }));
    recorder = new EventRecorder(cut, { component: 'tests', logger: silentLogger(), metrics });
    proxy.refuse(true);
    recorder.event(object, { type: 'Normal', reason: 'Late', message: 'late' });
    setTimeout(() => proxy.refuse(false), 200);
    expect(await eventsOf(object)).to.have.length(1);
    await cut.close();
    await proxy.close();
  });
});
