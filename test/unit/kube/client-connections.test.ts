import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';
import { expect } from 'chai';
import { pods } from '../../../src/kube/builtin-resources.ts';
import { KubeClient } from '../../../src/kube/client.ts';

describe('a client of the API server', () => {
  let server: Server;
  let client: KubeClient;
  let connections = 0;
  const asked: string[] = [];

  before(async () => {
    server = createServer((request, response) => {
      asked.push(request.method ?? '');
      request.resume().on('end', () => response.setHeader('content-type', 'application/json').end('{"metadata":{}}'));
    });
    server.on('connection', () => (connections += 1));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const kubeConfig = new KubeConfig();
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    kubeConfig.loadFromClusterAndUser({ name: 'here', server: url, skipTLSVerify: true }, { name: 'somebody' });
    client = new KubeClient(kubeConfig);
  });

  after(async () => {
    await client.close();
    server.close();
  });

  it('keeps its connections for the next request, also after those that delete', async () => {
    for (let sent = 0; sent < 10; sent++) {
      await client.delete(pods, { namespace: 'here', name: `pod-${sent}` }, { uid: 'c0ffee' });
    }
    expect(asked).to.deep.equal(Array.from({ length: 10 }, () => 'DELETE'));
    // One of them is still reading the end of an answer when the next request is sent.
    expect(connections).to.be.at.most(2);
  });
});
