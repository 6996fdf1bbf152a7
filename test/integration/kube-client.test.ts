import { expect } from 'chai';
import { configMaps } from '../../src/kube/builtin-resources.ts';
import { KubeClient } from '../../src/kube/client.ts';
import { startApiServer, type ApiServer } from '../support/api-server.ts';

describe('KubeClient against a real API server', function () {
  this.timeout(60_000);
  let server: ApiServer;
  let client: KubeClient;

  before(async () => {
    server = await startApiServer();
    client = new KubeClient(server.kubeConfig());
  });
  after(async () => {
    await client.close();
    await server.stop();
  });

  it('returns undefined for an object that does not exist', async () => {
    expect(await client.get(configMaps, { namespace: 'default', name: 'none' })).to.equal(undefined);
  });
});
