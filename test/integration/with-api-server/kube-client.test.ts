import { expect } from 'chai';
import {
  type ConfigMap,
  configMaps,
  namespaces,
  nodes,
  type PersistentVolumeClaim,
  persistentVolumeClaims,
} from '../../../src/kube/builtin-resources.ts';
import { KubeClient } from '../../../src/kube/client.ts';
import {
  type ApiError,
  ConnectionError,
  isAlreadyExists,
  isConflict,
  isForbidden,
  isGone,
  isInvalid,
  isPermanent,
} from '../../../src/kube/errors.ts';
import { addFinalizer, hasFinalizer, isBeingDeleted, removeFinalizer } from '../../../src/kube/finalizers.ts';
import { keyOf } from '../../../src/kube/key.ts';
import { Metrics } from '../../../src/server/metrics.ts';
import { type ApiServer, kubernetesIsBuilt, startApiServer } from '../../support/api-server.ts';
import { rejection } from '../../support/rejection.ts';

const namespace = 'default';
const key = (name: string) => ({ namespace, name });
const configMap = (name: string, data: Record<string, string> = {}): ConfigMap => ({
  metadata: { namespace, name },
  data,
});

describe('KubeClient against a real API server', function () {
  this.timeout(60_000);
  let server: ApiServer;
  let client: KubeClient;

  before(kubernetesIsBuilt);
  before(async () => {
    server = await startApiServer({ tokens: { 'nobody-token': 'nobody' } });
    client = new KubeClient(server.kubeConfig());
  });
  after(async () => {
    await client.close();
    await server.stop();
  });

  describe('reading and writing', () => {
    it('returns undefined for an object that does not exist', async () => {
      expect(await client.get(configMaps, key('none'))).to.equal(undefined);
    });

    it('creates, reads, patches and deletes', async () => {
      const created = await client.create(configMaps, configMap('crud', { a: '1' }));
      expect(created.metadata?.creationTimestamp).to.match(/^\d{4}-.*Z$/);
      await client.mergePatch(configMaps, key('crud'), { data: { a: null, b: '2' } });
      expect((await client.get(configMaps, key('crud')))?.data).to.deep.equal({ b: '2' });
      await client.delete(configMaps, key('crud'));
      expect(await client.get(configMaps, key('crud'))).to.equal(undefined);
    });

    it('deletes what is not there', async () => {
      await client.delete(configMaps, key('none'));
    });

    it('refuses to guess a missing namespace', async () => {
      expect(await rejection(client.get(configMaps, { namespace: '', name: 'x' }))).to.be.instanceOf(TypeError);
      expect(await rejection(client.create(configMaps, { metadata: { name: 'x' } }))).to.be.instanceOf(TypeError);
    });

    it('reaches objects of the cluster', async () => {
      await client.create(nodes, { metadata: { name: 'one' } });
      expect((await client.get(nodes, { namespace: '', name: 'one' }))?.kind).to.equal('Node');
    });

    it('deletes only the object with the uid', async () => {
      const { metadata } = await client.create(configMaps, configMap('precondition'));
      expect(await rejection(client.delete(configMaps, key('precondition'), { uid: 'other' }))).to.satisfy(isConflict);
      await client.delete(configMaps, key('precondition'), { uid: metadata?.uid });
      expect(await client.get(configMaps, key('precondition'))).to.equal(undefined);
    });

    it('gives listed objects their type, which lists of built-in resources lack', async () => {
      await client.create(configMaps, { ...configMap('typed'), metadata: { ...key('typed'), labels: { a: 'b' } } });
      const [object, ...others] = await client.list(configMaps, { namespace, labelSelector: 'a=b' });
      expect(others).to.deep.equal([]);
      expect(object).to.include({ apiVersion: 'v1', kind: 'ConfigMap' });
    });
  });

  describe('server-side apply', () => {
    const fieldManager = 'tests';

    it('creates an object, and writes nothing when nothing changes', async () => {
      const object = configMap('applied', { a: '1' });
      const first = await client.apply(configMaps, object, { fieldManager });
      const second = await client.apply(configMaps, object, { fieldManager });
      expect(second.metadata?.resourceVersion).to.equal(first.metadata?.resourceVersion);
    });

    it('leaves the fields of others alone, and takes over those it names', async () => {
      await client.apply(configMaps, configMap('shared', { a: 'other', b: 'other' }), { fieldManager: 'other' });
      const { data } = await client.apply(configMaps, configMap('shared', { a: 'ours' }), { fieldManager });
      expect(data).to.deep.equal({ a: 'ours', b: 'other' });
    });

    it('removes a field that is null, or is no longer named', async () => {
      await client.apply(configMaps, configMap('shrinking', { a: '1', b: '2', c: '3' }), { fieldManager });
      const smaller = { metadata: key('shrinking'), data: { a: '1', b: null } };
      expect((await client.apply(configMaps, smaller, { fieldManager })).data).to.deep.equal({ a: '1' });
    });

    it('takes an object as it was read', async () => {
      const read = await client.apply(configMaps, configMap('again', { a: '1' }), { fieldManager });
      const { data } = await client.apply(configMaps, { ...read, data: { a: '2' } }, { fieldManager });
      expect(data).to.deep.equal({ a: '2' });
    });

    it('refuses an object that changed since its resourceVersion', async () => {
      const read = await client.apply(configMaps, configMap('guarded', { a: '1' }), { fieldManager });
      await client.mergePatch(configMaps, key('guarded'), { data: { b: '2' } });
      expect(await rejection(client.apply(configMaps, read, { fieldManager }))).to.satisfy(isConflict);
    });

    it('writes the status without touching the spec', async () => {
      const claim: PersistentVolumeClaim = {
        metadata: key('claim'),
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
      };
      await client.create(persistentVolumeClaims, claim);
      const status = { phase: 'Pending', capacity: { storage: '2Gi' } };
      const written = { metadata: key('claim'), status };
      const { spec } = await client.applyStatus(persistentVolumeClaims, written, { fieldManager });
      expect(spec?.resources?.requests).to.deep.equal({ storage: '1Gi' });
      expect((await client.get(persistentVolumeClaims, key('claim')))?.status).to.deep.include(status);
    });
  });

  describe('finalizers', () => {
    it('are added once, hold the object back, and let it go', async () => {
      const object = await client.create(configMaps, configMap('finalized'));
      const held = await addFinalizer(client, configMaps, object, 'example.com/hold');
      expect(await addFinalizer(client, configMaps, held, 'example.com/hold')).to.equal(held);
      await client.delete(configMaps, keyOf(object));
      const deleted = (await client.get(configMaps, keyOf(object)))!;
      expect(isBeingDeleted(deleted)).to.equal(true);
      expect(hasFinalizer(deleted, 'example.com/hold')).to.equal(true);
      await removeFinalizer(client, configMaps, deleted, 'example.com/hold');
      expect(await client.get(configMaps, keyOf(object))).to.equal(undefined);
      await removeFinalizer(client, configMaps, deleted, 'example.com/hold');
    });

    it('are not changed on an object that changed since it was read', async () => {
      const object = await client.create(configMaps, configMap('stale'));
      await addFinalizer(client, configMaps, object, 'example.com/other');
      const error = await rejection(addFinalizer(client, configMaps, object, 'example.com/ours'));
      expect(error).to.satisfy(isConflict);
    });
  });

  describe('errors', () => {
    it('tells an object that exists from a conflict', async () => {
      await client.create(configMaps, configMap('twice'));
      const error = await rejection(client.create(configMaps, configMap('twice')));
      expect(error).to.satisfy(isAlreadyExists);
      expect(isConflict(error)).to.equal(false);
      expect((error as Error).message).to.equal('configmaps "twice" already exists');
    });

    it('calls an invalid object permanent', async () => {
      const error = await rejection(client.create(configMaps, configMap('Not A Name')));
      expect(error).to.satisfy(isInvalid).and.to.satisfy(isPermanent);
      expect((error as ApiError).details?.causes?.[0]?.field).to.equal('metadata.name');
    });

    it('says what a user may not do', async () => {
      const nobody = new KubeClient(server.kubeConfig({ token: 'nobody-token' }));
      const error = await rejection(nobody.list(configMaps));
      await nobody.close();
      expect(error).to.satisfy(isForbidden);
      expect((error as Error).message).to.contain('User "nobody" cannot list resource "configmaps"');
    });

    it('says which request found no server', async () => {
      const kubeConfig = server.kubeConfig({ port: 1 });
      const error = await rejection(new KubeClient(kubeConfig).get(configMaps, key('x')));
      expect(error).to.be.instanceOf(ConnectionError);
      expect((error as Error).message).to.match(/^GET \/api\/v1\/namespaces\/default\/configmaps\/x: .*ECONNREFUSED/);
    });

    it('ends a request with the reason of its signal', async () => {
      const reason = new Error('no longer wanted');
      const error = await rejection(client.get(configMaps, key('x'), { signal: AbortSignal.abort(reason) }));
      expect(error).to.equal(reason);
    });
  });

  describe('large collections', () => {
    before(async () => {
      await client.create(namespaces, { metadata: { name: 'large' } });
      const make = (index: number) =>
        client.create(configMaps, { metadata: { namespace: 'large', name: `object-${index}` } });
      for (let start = 0; start < 2100; start += 100) {
        await Promise.all(Array.from({ length: 100 }, (_, index) => make(start + index)));
      }
    });

    it('are listed in pages of one version', async () => {
      const names = new Set<string>();
      const versions = new Set<string>();
      let pages = 0;
      for await (const page of client.pages(configMaps, { namespace: 'large', pageSize: 500 })) {
        pages++;
        versions.add(page.resourceVersion);
        for (const { metadata } of page.items) names.add(metadata!.name!);
      }
      expect({ pages, names: names.size, versions: versions.size }).to.deep.equal({
        pages: 5,
        names: 2100,
        versions: 1,
      });
    });

    it('fail with 410 when the version is forgotten between two pages', async () => {
      const pages = client.pages(configMaps, { namespace: 'large', pageSize: 500 });
      await pages.next();
      await client.create(configMaps, configMap('newer'));
      // The watch cache remembers versions of its own; a new server has none before its start.
      await server.restart();
      await server.compact();
      expect(await rejection(pages.next())).to.satisfy(isGone);
    });
  });
});

describe('KubeClient against a busy API server', function () {
  this.timeout(60_000);
  let server: ApiServer;

  before(kubernetesIsBuilt);
  before(async () => {
    server = await startApiServer({
      tokens: { 'user-token': 'user' },
      args: ['--enable-priority-and-fairness=false', '--max-requests-inflight=1', '--authorization-mode=AlwaysAllow'],
    });
  });
  after(async () => server.stop());

  it('comes back after the time that the server asks for', async () => {
    const metrics = new Metrics();
    const client = new KubeClient(server.kubeConfig({ token: 'user-token' }), { metrics });
    const lists = await Promise.all(Array.from({ length: 20 }, () => client.list(configMaps)));
    await client.close();
    expect(lists).to.have.length(20);
    const { values } = await metrics.requests.get();
    expect(values.find(({ labels }) => labels.code === 429)?.value).to.be.greaterThan(0);
  });
});
