import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';
import { expect } from 'chai';
import { type ConfigMap, configMaps } from '../../../src/kube/builtin-resources.ts';
import { KubeClient } from '../../../src/kube/client.ts';
import { Informer, type InformerOptions } from '../../../src/kube/informer.ts';
import { Metrics } from '../../../src/server/metrics.ts';
import { eventually } from '../../support/eventually.ts';
import { silentLogger } from '../../support/logger.ts';

/**
 * What no API server does when it is asked to, but some do in production: a server that answers watches by a script.
 */
describe('Informer against a server that misbehaves', function () {
  this.timeout(30_000);
  type Answer = (response: ServerResponse) => unknown;
  let server: Server;
  let client: KubeClient;
  let stop: AbortController;
  let stopped: Promise<void>;
  /** Answers to the next watches; after the last one, watches stay open and silent. */
  let script: Answer[];
  let requests: { type: 'list' | 'watch'; version: string | null; at: number }[];
  let version: number;
  let objects: string[];

  const types = () => requests.map(({ type }) => type);
  const status =
    (code: number, reason: string, headers: Record<string, string> = {}): Answer =>
    (response) =>
      response.writeHead(code, headers).end(JSON.stringify({ kind: 'Status', code, reason, message: reason }));
  const stream =
    (...lines: unknown[]): Answer =>
    (response) =>
      response.writeHead(200).end(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  const metadata = (name: string, resourceVersion: string) => ({
    namespace: 'default',
    name,
    resourceVersion,
    uid: name,
  });

  function answer(request: IncomingMessage, response: ServerResponse): void {
    const query = new URL(request.url!, 'http://server').searchParams;
    const watch = query.has('watch');
    requests.push({ type: watch ? 'watch' : 'list', version: query.get('resourceVersion'), at: performance.now() });
    if (!watch) {
      const items = objects.map((name) => ({ metadata: metadata(name, '1') }));
      response.end(JSON.stringify({ metadata: { resourceVersion: String(++version) }, items }));
      return;
    }
    const next = script.shift();
    if (next) void next(response);
    else response.writeHead(200).flushHeaders();
  }

  beforeEach(async () => {
    script = [];
    requests = [];
    objects = ['one'];
    version = 100;
    server = createServer(answer);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const kubeConfig = new KubeConfig();
    const { port } = server.address() as AddressInfo;
    kubeConfig.loadFromClusterAndUser(
      { name: 'scripted', server: `http://127.0.0.1:${port}`, skipTLSVerify: true },
      { name: 'user' },
    );
    client = new KubeClient(kubeConfig);
    stop = new AbortController();
  });
  afterEach(async () => {
    stop.abort();
    await stopped;
    await client.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  function start(options: InformerOptions<ConfigMap> = {}): Informer<ConfigMap> {
    const informer = new Informer(client, configMaps, { ...options, logger: silentLogger(), metrics: new Metrics() });
    stopped = informer.start(stop.signal);
    return informer;
  }

  it('lists again after 410 as the HTTP status', async () => {
    script = [status(410, 'Expired')];
    start();
    await eventually('a second watch', () => requests.length === 4);
    expect(types()).to.deep.equal(['list', 'watch', 'list', 'watch']);
    expect(requests[3]?.version).to.equal('102');
  });

  it('lists again after 410 as an event in a stream that ends cleanly', async () => {
    script = [stream({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' } })];
    start();
    await eventually('a second watch', () => requests.length === 4);
    expect(types()).to.deep.equal(['list', 'watch', 'list', 'watch']);
  });

  it('notices deletions by that list', async () => {
    script = [status(410, 'Expired')];
    const informer = start();
    const deleted: unknown[] = [];
    informer.onChange(({ type, object }) => {
      if (type === 'deleted') deleted.push(object.metadata);
    });
    await informer.waitForSync();
    objects = [];
    await eventually('the deletion', () => deleted.length === 1);
    expect(informer.list()).to.deep.equal([]);
  });

  it('tries a version twice when watches end at once without a reason, and then lists again', async () => {
    script = [stream(), stream()];
    start();
    await eventually('a watch that lasts', () => requests.length === 5);
    expect(types()).to.deep.equal(['list', 'watch', 'watch', 'list', 'watch']);
  });

  it('tries a version twice when the connection breaks in the middle of an event', async () => {
    const broken: Answer = (response) => {
      response.writeHead(200).write('{"type":"ADDED","object":{"meta');
      setTimeout(() => response.destroy(), 50);
    };
    script = [broken, broken];
    start();
    await eventually('a watch that lasts', () => requests.length === 5);
    expect(types()).to.deep.equal(['list', 'watch', 'watch', 'list', 'watch']);
  });

  it('goes on from the version of the last bookmark', async () => {
    script = [stream({ type: 'BOOKMARK', object: { metadata: { resourceVersion: '150' } } })];
    start();
    await eventually('a second watch', () => requests.length === 3);
    expect(types()).to.deep.equal(['list', 'watch', 'watch']);
    expect(requests[2]?.version).to.equal('150');
  });

  it('does not believe for ever that nothing happens', async () => {
    script = Array.from({ length: 11 }, () => (response) => {
      response.writeHead(200).flushHeaders();
      setTimeout(() => response.end(), 30);
    });
    start({ watchSeconds: 0.01, idleTimeout: 10_000 });
    await eventually('a second list', () => types().lastIndexOf('list') > 0);
    expect(types().slice(0, 13)).to.deep.equal(['list', ...Array<string>(11).fill('watch'), 'list']);
  });

  it('waits as long as a busy server asks, and does not list again', async () => {
    const busy = status(429, 'TooManyRequests', { 'retry-after': '1' });
    script = [busy, busy];
    start();
    await eventually('a watch that is served', () => requests.length === 4);
    expect(types()).to.deep.equal(['list', 'watch', 'watch', 'watch']);
    expect(requests[3]!.at - requests[1]!.at).to.be.greaterThan(1990);
  });

  it('waits longer from failure to failure', async () => {
    script = Array.from({ length: 100 }, () => stream());
    start();
    await new Promise((resolve) => setTimeout(resolve, 3000));
    expect(requests.length).to.be.within(4, 16);
  });

  it('joins events that arrive in pieces', async () => {
    const event = { type: 'ADDED', object: { metadata: metadata('two', '120'), data: { text: 'grüße 🎉' } } };
    const bytes = Buffer.from(`${JSON.stringify(event)}\n`);
    script = [
      async (response) => {
        response.writeHead(200);
        for (const byte of bytes) {
          response.write(Buffer.of(byte));
          await new Promise(setImmediate);
        }
      },
    ];
    const informer = start();
    const object = await eventually('the object', () => informer.get({ namespace: 'default', name: 'two' }));
    expect(object).to.have.property('data').that.deep.equals({ text: 'grüße 🎉' });
  });
});
