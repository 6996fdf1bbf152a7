import { expect } from 'chai';
import { request } from 'undici';
import { controllerOf, differs, ownerReference } from '../../../src/kube/apply.ts';
import { type ConfigMap, configMaps, events, leases, namespaces } from '../../../src/kube/builtin-resources.ts';
import { KubeClient } from '../../../src/kube/client.ts';
import { type Reconciler, type Result } from '../../../src/kube/controller.ts';
import { LeadershipLostError, TerminalError, WaitingError } from '../../../src/kube/errors.ts';
import { enqueueFrom } from '../../../src/kube/event-source.ts';
import { keyToString, type ObjectKey } from '../../../src/kube/key.ts';
import { Manager, type ManagerOptions } from '../../../src/kube/manager.ts';
import { type ApiServer, kubernetesIsBuilt, startApiServer } from '../../support/api-server.ts';
import { eventually } from '../../support/eventually.ts';
import { silentLogger } from '../../support/logger.ts';
import { valueOf } from '../../support/metric.ts';
import { rejection } from '../../support/rejection.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';

const backoff = { base: 50, max: 500 };

describe('Manager against a real API server', function () {
  this.timeout(60_000);
  let server: ApiServer;
  let client: KubeClient;
  let proxy: TcpProxy;
  let namespace: string;
  let namespaceCount = 0;
  let running: { stop: AbortController; end: Promise<unknown> }[];

  before(kubernetesIsBuilt);
  before(async () => {
    server = await startApiServer({ tokens: { 'nobody-token': 'nobody' } });
    client = new KubeClient(server.kubeConfig());
  });
  after(async () => {
    await client.close();
    await server.stop();
  });
  beforeEach(async () => {
    namespace = `manager-${++namespaceCount}`;
    await client.create(namespaces, { metadata: { name: namespace } });
    proxy = await TcpProxy.start(server.port);
    running = [];
  });
  afterEach(async () => {
    for (const { stop } of running) stop.abort();
    await Promise.all(running.map(({ end }) => end));
    await proxy.close();
  });

  function newManager(options: Partial<ManagerOptions> = {}): Manager {
    return new Manager({ kubeConfig: server.kubeConfig(), logger: silentLogger(), host: '127.0.0.1', ...options });
  }

  /** Adds a reconciler of the namespace's config maps. */
  function control(manager: Manager, reconcile: Reconciler['reconcile'], failed?: Reconciler['failed']): void {
    const informer = manager.informer(configMaps, { namespace });
    const reconciler = { name: 'under-test', reconcile, ...(failed && { failed }) };
    manager.addController(reconciler, { watches: [enqueueFrom(informer)], backoff });
  }

  /** Runs the manager until the test ends. `end` is resolved with what it was rejected with, if so. */
  function run(manager: Manager): { stop: AbortController; end: Promise<unknown> } {
    const stop = new AbortController();
    const end = manager.run(stop.signal).then(
      () => undefined,
      (error: unknown) => error,
    );
    running.push({ stop, end });
    return { stop, end };
  }

  const create = (name: string, more: Partial<ConfigMap> = {}) =>
    client.create(configMaps, { ...more, metadata: { namespace, name, ...more.metadata } });
  const touch = (name: string) =>
    client.mergePatch(configMaps, { namespace, name }, { data: { touched: String(Math.random()) } });

  describe('controllers', () => {
    it('make the world as the objects want it, and then write nothing more', async () => {
      const manager = newManager();
      const informer = manager.informer(configMaps, { namespace });
      let runs = 0;
      const copier: Reconciler = {
        name: 'copier',
        async reconcile(key: ObjectKey): Promise<Result> {
          runs++;
          const original = informer.get(key);
          if (!original || controllerOf(original)) return undefined;
          const desired = {
            metadata: {
              namespace,
              name: `${key.name}-copy`,
              ownerReferences: [ownerReference(original, { controller: true })],
            },
            data: original.data ?? {},
          };
          if (differs(desired, informer.get({ namespace, name: `${key.name}-copy` }))) {
            await manager.client.apply(configMaps, desired, { fieldManager: 'copier' });
          }
          return undefined;
        },
      };
      const toKeys = (object: ConfigMap) => [{ namespace, name: controllerOf(object)?.name ?? object.metadata!.name! }];
      manager.addController(copier, { watches: [enqueueFrom(informer, toKeys)] });
      await create('early', { data: { a: '1' } });
      run(manager);
      const copy = (name: string) => client.get(configMaps, { namespace, name: `${name}-copy` });
      const first = await eventually('the copy of what was there', () => copy('early'));
      await create('late', { data: { b: '2' } });
      expect((await eventually('the copy of what comes', () => copy('late'))).data).to.deep.equal({ b: '2' });
      await client.delete(configMaps, { namespace, name: 'late-copy' });
      await eventually('what was deleted comes back', () => copy('late'));

      const before = runs;
      await client.mergePatch(configMaps, { namespace, name: 'early' }, { metadata: { labels: { a: 'b' } } });
      await eventually('another look', () => runs > before);
      expect((await copy('early'))?.metadata?.resourceVersion).to.equal(first.metadata?.resourceVersion);
      expect(await valueOf(manager.metrics.requests, { verb: 'apply' })).to.equal(3);
    });

    it('never work on one key twice at a time, and miss no change', async () => {
      const manager = newManager();
      let now = 0;
      let most = 0;
      let seen: string | undefined;
      const informer = manager.informer(configMaps, { namespace });
      control(manager, async (key) => {
        most = Math.max(most, ++now);
        seen = informer.get(key)?.metadata?.resourceVersion;
        await new Promise((resolve) => setTimeout(resolve, 30));
        now--;
        return undefined;
      });
      await create('busy');
      run(manager);
      for (let i = 0; i < 20; i++) await touch('busy');
      const { metadata } = await touch('busy');
      await eventually('the last change is seen', () => seen === metadata?.resourceVersion);
      expect(most).to.equal(1);
    });

    it('retry what fails, later each time, while others go on', async () => {
      const manager = newManager();
      const times: number[] = [];
      const reconciled = new Set<string>();
      const reported: string[] = [];
      control(
        manager,
        async (key) => {
          if (key.name !== 'failing' || times.push(performance.now()) >= 4) reconciled.add(key.name);
          else throw new Error(`failure ${times.length}`);
          return undefined;
        },
        async (key, failure) => void reported.push(`${keyToString(key)} ${failure.message}`),
      );
      await create('failing');
      await create('fine');
      run(manager);
      await eventually('both are done', () => reconciled.size === 2);
      expect(reported).to.deep.equal([1, 2, 3].map((count) => `${namespace}/failing failure ${count}`));
      const gaps = times.slice(1).map((time, index) => time - times[index]!);
      expect(gaps[0]).to.be.greaterThan(45);
      expect(gaps[2]).to.be.greaterThan(190);
      expect(await valueOf(manager.metrics.reconciles, { result: 'error' })).to.equal(3);
    });

    it('survive a reconciler that throws before it has promised anything, and a report that fails', async () => {
      const manager = newManager();
      let runs = 0;
      control(
        manager,
        () => {
          if (++runs < 3) throw new TerminalError('Broken', 'broken');
          return Promise.resolve(undefined);
        },
        () => Promise.reject(new Error('the report failed')),
      );
      await create('one');
      run(manager);
      await eventually('it was retried, because nobody was told', () => runs === 3);
    });

    it('leave what needs a person alone until it changes', async () => {
      const manager = newManager();
      let runs = 0;
      control(manager, async () => {
        runs++;
        throw new TerminalError('WrongUrl', 'the URL is wrong');
      });
      await create('hopeless');
      run(manager);
      await eventually('the first look', () => runs === 1);
      await new Promise((resolve) => setTimeout(resolve, 500));
      expect(runs).to.equal(1);
      await touch('hopeless');
      await eventually('another look after the change', () => runs === 2);
      expect(await valueOf(manager.metrics.reconciles, { result: 'terminal' })).to.equal(2);
    });

    it('look again when they were told to', async () => {
      const manager = newManager();
      const times: number[] = [];
      control(manager, async () => {
        times.push(performance.now());
        if (times.length === 1) throw new WaitingError('NoSecret', 'waiting for a secret', { after: 300 });
        return times.length === 2 ? { requeueAfter: 200 } : undefined;
      });
      await create('waiting');
      run(manager);
      await eventually('three looks', () => times.length === 3);
      expect(times[1]! - times[0]!).to.be.within(290, 15_000);
      expect(times[2]! - times[1]!).to.be.within(190, 15_000);
    });

    it('look again after a conflict without reporting it', async () => {
      const manager = newManager();
      const stale = await create('contended');
      await touch('contended');
      let runs = 0;
      const reported: Error[] = [];
      control(
        manager,
        async () => {
          if (++runs === 1) await manager.client.update(configMaps, stale);
          return undefined;
        },
        async (_key, failure) => void reported.push(failure),
      );
      run(manager);
      await eventually('another look', () => runs === 2);
      expect(reported).to.deep.equal([]);
      expect(await valueOf(manager.metrics.reconciles, { result: 'conflict' })).to.equal(1);
    });
  });

  describe('start and stop', () => {
    it('serves health, readiness and metrics', async () => {
      const gate = await TcpProxy.start(server.port);
      gate.refuse(true);
      const manager = newManager({ kubeConfig: server.kubeConfig({ port: gate.port }), port: 0 });
      control(manager, async () => undefined);
      await create('one');
      const { stop, end } = run(manager);
      const port = await eventually('a port', () => manager.port);
      const get = async (path: string) => {
        const { statusCode, body } = await request(`http://127.0.0.1:${port}${path}`);
        return { statusCode, text: await body.text() };
      };
      expect((await get('/healthz')).statusCode).to.equal(200);
      const notReady = await get('/readyz');
      expect(notReady.statusCode).to.equal(503);
      expect(notReady.text).to.contain(`[-]informer configmaps ${namespace} the first list is not complete`);
      gate.refuse(false);
      await eventually('it is ready', async () => (await get('/readyz')).statusCode === 200);
      const { text } = await eventually('it has reconciled', async () => {
        const metrics = await get('/metrics');
        return (
          metrics.text.includes('controller_reconcile_total{controller="under-test",result="success"} 1') && metrics
        );
      });
      for (const name of [
        'workqueue_depth{name="under-test"} 0',
        'workqueue_longest_running_processor_seconds{name="under-test"} 0',
        'controller_reconcile_time_seconds_bucket',
        'rest_client_requests_total{verb="list",resource="configmaps",code="200"} 1',
        'informer_last_event_timestamp_seconds',
        'nodejs_eventloop_lag_seconds',
      ]) {
        expect(text).to.contain(name);
      }
      stop.abort();
      expect(await end).to.equal(undefined);
      await gate.close();
    });

    it('says which cache could not be filled, and why that may be', async () => {
      const manager = newManager({ kubeConfig: server.kubeConfig({ token: 'nobody-token' }), syncTimeout: 500 });
      control(manager, async () => undefined);
      const error = await rejection(manager.run(new AbortController().signal));
      expect((error as Error).message).to.match(
        /^no complete list of configmaps manager-\d+ within 0.5 s: .*may this user/,
      );
    });

    it('stops before it has begun', async () => {
      const manager = newManager({ kubeConfig: server.kubeConfig({ port: 1 }) });
      control(manager, async () => undefined);
      const { stop, end } = run(manager);
      stop.abort();
      expect(await end).to.equal(undefined);
    });

    it('lets reconciliations end when it stops, and tells them that it does', async () => {
      const manager = newManager();
      let state = 'none';
      control(manager, async (_key, { signal }) => {
        state = 'working';
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        await new Promise((resolve) => setTimeout(resolve, 200));
        state = 'finished';
        return undefined;
      });
      await create('slow');
      const { stop, end } = run(manager);
      await eventually('it works', () => state === 'working');
      stop.abort();
      await end;
      expect(state).to.equal('finished');
    });

    it('writes the events of the last reconciliation before it stops', async () => {
      const object = await create('object');
      const manager = newManager();
      let working = false;
      control(manager, async (_key, { signal }) => {
        working = true;
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        await new Promise((resolve) => setTimeout(resolve, 50));
        manager.events.event(object, { type: 'Normal', reason: 'Last', message: 'the last thing' });
        return undefined;
      });
      const { stop, end } = run(manager);
      await eventually('it works', () => working);
      stop.abort();
      await end;
      expect((await client.list(events, { namespace })).map(({ reason }) => reason)).to.deep.equal(['Last']);
    });

    it('shares an informer among those who ask for the same', () => {
      const manager = newManager();
      const informer = manager.informer(configMaps, { namespace });
      expect(manager.informer(configMaps, { namespace })).to.equal(informer);
      expect(manager.informer(configMaps, { namespace, labelSelector: 'a=b' })).to.not.equal(informer);
    });
  });

  describe('leader election', () => {
    const times = { leaseDuration: 6000, renewDeadline: 3000, retryPeriod: 200 };
    const lease = () => client.get(leases, { namespace, name: 'leader' });
    /** A manager that wants to lead, and appends its identity to the list with each reconciliation. */
    function candidate(identity: string, acted: string[], port?: number): Manager {
      const manager = newManager({
        kubeConfig: server.kubeConfig(port === undefined ? {} : { port }),
        leaderElection: { namespace, name: 'leader', identity, ...times },
      });
      control(manager, async () => {
        acted.push(identity);
        return { requeueAfter: 20 };
      });
      return manager;
    }

    it('lets one act, and another take over at once when it stops', async () => {
      await create('object');
      const acted: string[] = [];
      const first = run(candidate('first', acted));
      await eventually('the first acts', () => acted.length > 3);
      run(candidate('second', acted));
      await new Promise((resolve) => setTimeout(resolve, 500));
      expect(acted).to.not.include('second');
      first.stop.abort();
      await first.end;
      expect((await lease())?.spec?.holderIdentity).to.be.oneOf(['', 'second']);
      const count = acted.filter((identity) => identity === 'first').length;
      await eventually('the second acts, before the lease would expire', () => acted.includes('second'), 5000);
      expect(acted.filter((identity) => identity === 'first')).to.have.length(count);
      expect((await lease())?.spec).to.include({ holderIdentity: 'second', leaseTransitions: 1 });
    });

    it('keeps the lease from others while a reconciliation does not end', async () => {
      await create('object');
      const manager = newManager({
        leaderElection: { namespace, name: 'leader', identity: 'first', ...times },
        stopTimeout: 300,
      });
      let working = false;
      control(manager, () => {
        working = true;
        return new Promise(() => undefined);
      });
      const { stop, end } = run(manager);
      await eventually('it works', () => working);
      stop.abort();
      expect(await end).to.equal(undefined);
      expect((await lease())?.spec?.holderIdentity).to.equal('first');
    });

    it('ends a leader whose lease was taken away', async () => {
      await create('object');
      const acted: string[] = [];
      const { end } = run(candidate('first', acted));
      await eventually('it acts', () => acted.length > 3);
      await client.mergePatch(leases, { namespace, name: 'leader' }, { spec: { holderIdentity: 'thief' } });
      const error = await end;
      expect(error).to.be.instanceOf(LeadershipLostError);
      expect((error as Error).message).to.equal(`lost the lease ${namespace}/leader: thief has it`);
      const count = acted.length;
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect(acted).to.have.length(count);
      expect((await lease())?.spec?.holderIdentity).to.equal('thief');
    });

    it('survives that its lease is deleted, or written by someone who does not take it', async () => {
      const manager = candidate('first', []);
      const { stop, end } = run(manager);
      await eventually('it leads', async () => (await lease())?.spec?.holderIdentity === 'first');
      await client.mergePatch(leases, { namespace, name: 'leader' }, { metadata: { annotations: { a: 'b' } } });
      await new Promise((resolve) => setTimeout(resolve, 600));
      await client.delete(leases, { namespace, name: 'leader' });
      await eventually('it has a lease again', async () => (await lease())?.spec?.holderIdentity === 'first');
      stop.abort();
      expect(await end).to.equal(undefined);
    });

    it('ends a leader that cannot renew, before another one begins', async () => {
      await create('object');
      const acted: string[] = [];
      const times = new Map<string, number>();
      const record = (identity: string) => times.set(identity, performance.now());
      const first = run(candidate('first', acted, proxy.port));
      await eventually('the first acts', () => acted.length > 3);
      run(candidate('second', acted));
      proxy.refuse(true);
      void first.end.then(() => record('first ended'));
      await eventually('the second acts', () => acted.includes('second'));
      record('second acts');
      expect(await first.end).to.be.instanceOf(LeadershipLostError);
      expect(times.get('first ended')).to.be.lessThan(times.get('second acts')!);
    });

    it('ends in time when no answers come any more', async () => {
      await create('object');
      const manager = newManager({
        kubeConfig: server.kubeConfig({ port: proxy.port }),
        leaderElection: { namespace, name: 'leader', identity: 'first', ...times },
      });
      let working = false;
      control(manager, async (key) => {
        working = true;
        await manager.client.get(configMaps, key);
        return { requeueAfter: 10 };
      });
      const { end } = run(manager);
      await eventually('it works', () => working);
      const start = performance.now();
      proxy.stallAll(true);
      expect(await end).to.be.instanceOf(LeadershipLostError);
      expect(performance.now() - start).to.be.lessThan(times.leaseDuration);
    });

    it('does not act after its event loop was blocked for too long', async () => {
      await create('object');
      const acted: string[] = [];
      const { end } = run(candidate('first', acted));
      await eventually('it acts', () => acted.length > 3);
      const count = acted.length;
      const until = performance.now() + times.renewDeadline + 100;
      while (performance.now() < until);
      expect(await end).to.be.instanceOf(LeadershipLostError);
      expect(acted).to.have.length(count);
    });
  });
});
