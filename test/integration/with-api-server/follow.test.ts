import { expect } from 'chai';
import { configMaps, namespaces } from '../../../src/kube/builtin-resources.ts';
import { KubeClient } from '../../../src/kube/client.ts';
import { type ApiServer, kubernetesIsBuilt, startApiServer } from '../../support/api-server.ts';
import { eventually } from '../../support/eventually.ts';
import { follow } from '../../support/follow.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';

describe('follow', function () {
  this.timeout(60_000);
  let server: ApiServer;
  let proxy: TcpProxy;
  let client: KubeClient;
  let follower: KubeClient;

  before(kubernetesIsBuilt);
  before(async () => {
    server = await startApiServer();
    proxy = await TcpProxy.start(server.port);
    client = new KubeClient(server.kubeConfig());
    follower = new KubeClient(server.kubeConfig({ port: proxy.port }));
    await client.create(namespaces, { metadata: { name: 'followed' } });
  });
  after(async () => {
    await follower?.close();
    await client?.close();
    await proxy?.close();
    await server?.stop();
  });

  it('misses nothing where a watch breaks, and where the next cannot be opened', async () => {
    const stop = new AbortController();
    const told: string[] = [];
    const make = (name: string) => client.create(configMaps, { metadata: { name, namespace: 'followed' } });
    await make('there');
    const { ended } = await follow(follower, configMaps, stop.signal, ({ metadata }, deleted) => {
      if (metadata?.namespace === 'followed') told.push(`${metadata.name} ${deleted ? 'gone' : 'is there'}`);
    });
    await make('watched');
    await eventually('the watch tells', () => told.length === 2);
    proxy.refuse(true);
    await make('missed');
    await client.delete(configMaps, { namespace: 'followed', name: 'there' });
    const refused = proxy.connections;
    await eventually('another watch is refused', () => proxy.connections > refused + 1);
    proxy.refuse(false);
    await eventually('the rest is told', () => told.length === 4);
    expect(told).to.deep.equal(['there is there', 'watched is there', 'missed is there', 'there gone']);
    stop.abort();
    await ended;
  });
});
