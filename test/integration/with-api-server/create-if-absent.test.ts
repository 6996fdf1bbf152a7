import { expect } from 'chai';
import { createIfAbsent } from '../../../src/controllers/create-if-absent.ts';
import { configMaps, namespaces, type ConfigMap } from '../../../src/kube/builtin-resources.ts';
import { KubeClient } from '../../../src/kube/client.ts';
import { WaitingError } from '../../../src/kube/errors.ts';
import { kubernetesIsBuilt, startApiServer, type ApiServer } from '../../support/api-server.ts';
import { rejection } from '../../support/rejection.ts';

const NAMESPACE = 'create-if-absent';

describe('createIfAbsent against a real API server', function () {
  this.timeout(60_000);
  let server: ApiServer;
  let client: KubeClient;

  before(kubernetesIsBuilt);
  before(async () => {
    server = await startApiServer();
    client = new KubeClient(server.kubeConfig());
    await client.create(namespaces, { metadata: { name: NAMESPACE } });
  });
  after(async () => {
    await client?.close();
    await server?.stop();
  });

  const ownedBy = (name: string, uid: string): ConfigMap => ({
    metadata: {
      namespace: NAMESPACE,
      name,
      ownerReferences: [{ apiVersion: 'v1', kind: 'PersistentVolumeClaim', name: 'disk', uid }],
    },
  });
  const expectNameTaken = async (object: ConfigMap) => {
    const failure = await rejection(createIfAbsent(client, configMaps, object));
    expect(failure).to.be.instanceOf(WaitingError).with.property('reason', 'ErrResourceExists');
    expect((failure as WaitingError).after).to.be.greaterThan(0);
  };

  it('takes an object that it made before for what it is', async () => {
    await createIfAbsent(client, configMaps, ownedBy('again', 'first'));
    await createIfAbsent(client, configMaps, ownedBy('again', 'first'));
  });

  it('waits while the name belongs to an earlier owner of the same name, and goes on when it is free', async () => {
    await createIfAbsent(client, configMaps, ownedBy('owned', 'first'));
    await expectNameTaken(ownedBy('owned', 'second'));
    await client.delete(configMaps, { namespace: NAMESPACE, name: 'owned' });
    await createIfAbsent(client, configMaps, ownedBy('owned', 'second'));
    const found = await client.get(configMaps, { namespace: NAMESPACE, name: 'owned' });
    expect(found?.metadata?.ownerReferences?.[0]?.uid).to.equal('second');
  });

  it('waits while the object of that name is being deleted', async () => {
    const metadata = { namespace: NAMESPACE, name: 'going', finalizers: ['diskpress.test/held'] };
    await createIfAbsent(client, configMaps, { metadata });
    await client.delete(configMaps, { namespace: NAMESPACE, name: 'going' });
    await expectNameTaken({ metadata });
  });
});
