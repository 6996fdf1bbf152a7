import { expect } from 'chai';
import { createIfAbsent } from '../../../src/controllers/objects/create-if-absent.ts';
import {
  type ConfigMap,
  configMaps,
  namespaces,
  type PersistentVolumeClaim,
  persistentVolumeClaims,
  type Pod,
  pods,
} from '../../../src/kube/builtin-resources.ts';
import { KubeClient } from '../../../src/kube/client.ts';
import { WaitingError } from '../../../src/kube/errors.ts';
import { defineResource, type KubeObject } from '../../../src/kube/resource.ts';
import { type ApiServer, kubernetesIsBuilt, startApiServer } from '../../support/api-server.ts';
import { eventually } from '../../support/eventually.ts';
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

  it('says what the API server refuses, in its words, and goes on when it does not any more', async () => {
    const disk: PersistentVolumeClaim = {
      metadata: { namespace: NAMESPACE, name: 'disk' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    };
    const limits = defineResource<KubeObject & { spec: object }>({
      ...{ group: '', version: 'v1', kind: 'LimitRange', plural: 'limitranges', namespaced: true },
    });
    const range = { metadata: { namespace: NAMESPACE, name: 'small' } };
    await client.create(limits, {
      ...range,
      spec: { limits: [{ type: 'PersistentVolumeClaim', max: { storage: '64Mi' } }] },
    });
    const refused = await eventuallyRefused(() => createIfAbsent(client, persistentVolumeClaims, disk));
    expect(refused.reason).to.equal('ErrForbidden');
    expect(refused.message).to.match(/"create-if-absent\/disk" is refused: .*maximum storage usage.*64Mi/);
    await client.delete(limits, { ...range.metadata });
    await eventually('it is made', async () => {
      const made = await createIfAbsent(client, persistentVolumeClaims, disk).catch(() => undefined);
      return made !== undefined;
    });

    const pod: Pod = {
      metadata: { namespace: NAMESPACE, name: 'importer' },
      spec: { priorityClassName: 'no-such-class', containers: [{ name: 'importer', image: 'image' }] },
    };
    const unknown = await eventuallyRefused(() => createIfAbsent(client, pods, pod));
    expect(unknown.reason).to.equal('ErrStartingPod');
    expect(unknown.message).to.match(/no PriorityClass with name no-such-class was found/);
  });

  /** Admission plugins learn of a LimitRange a moment after it was made. */
  async function eventuallyRefused(attempt: () => Promise<PersistentVolumeClaim | Pod>): Promise<WaitingError> {
    let refusal: WaitingError | undefined;
    await eventually('it is refused', async () => {
      try {
        const { metadata } = await attempt();
        await client.delete(persistentVolumeClaims, { namespace: NAMESPACE, name: metadata?.name ?? '' });
        return false;
      } catch (error) {
        if (!(error instanceof WaitingError)) throw error;
        refusal = error;
        return refusal.reason !== 'ErrResourceExists';
      }
    });
    if (!refusal) throw new Error('it was not refused');
    return refusal;
  }

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
