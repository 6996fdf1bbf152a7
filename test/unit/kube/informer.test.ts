import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import fc from 'fast-check';
import { type ConfigMap, configMaps } from '../../../src/kube/builtin-resources.ts';
import type { KubeClient, Page, WatchOptions } from '../../../src/kube/client.ts';
import { Informer, type InformerOptions } from '../../../src/kube/informer.ts';
import { parseWatchStream, type WatchEvent } from '../../../src/kube/watch-stream.ts';
import { Metrics } from '../../../src/server/metrics.ts';
import { silentLogger } from '../../support/logger.ts';

/** A client with an empty list of version 10, and watches of what the test sends. */
class ScriptedClient {
  readonly #sent: (WatchEvent<ConfigMap> | typeof expired)[] = [];
  #wake: () => void = () => undefined;
  watches = 0;
  /** The lists to come, which are on their way until the test has them arrive. */
  list: Promise<Page<ConfigMap>> = Promise.resolve({ items: [], resourceVersion: '10' });

  async *pages(): AsyncGenerator<Page<ConfigMap>> {
    yield await this.list;
  }

  async *watch(_: unknown, { signal, isKnown }: WatchOptions): AsyncGenerator<WatchEvent<ConfigMap>> {
    this.watches += 1;
    yield* parseWatchStream<ConfigMap>(this.#body(signal), isKnown);
  }

  async *#body(signal: AbortSignal | undefined): AsyncGenerator<Buffer> {
    signal?.addEventListener('abort', () => this.#wake(), { once: true });
    while (!signal?.aborted) {
      const next = this.#sent.shift();
      if (next) yield Buffer.from(`${JSON.stringify(next)}\n`);
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** Ends the watch, so that a list follows. */
  async expire(): Promise<void> {
    return this.send(expired);
  }

  async send(...events: (WatchEvent<ConfigMap> | typeof expired)[]): Promise<void> {
    this.#sent.push(...events);
    this.#wake();
    while (this.#sent.length > 0) await turn();
    await turn();
  }
}

const expired = { type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } } as const;
const object = (version: number, { name = 'one', uid = 'a' } = {}): ConfigMap => ({
  metadata: { namespace: 'default', name, uid, resourceVersion: String(version) },
});
const key = (name = 'one') => ({ namespace: 'default', name });

describe('Informer with writes of its own process', () => {
  let client: ScriptedClient;
  let stop: AbortController;
  let changes: string[];

  beforeEach(() => {
    client = new ScriptedClient();
    stop = new AbortController();
    changes = [];
  });
  afterEach(() => stop.abort());

  async function start(options: InformerOptions<ConfigMap> = {}): Promise<Informer<ConfigMap>> {
    const informer = new Informer(client as unknown as KubeClient, configMaps, {
      ...options,
      logger: silentLogger(),
      metrics: new Metrics(),
    });
    informer.onChange(({ type, object: { metadata } }) =>
      changes.push(`${type} ${metadata?.uid} ${metadata?.resourceVersion}`),
    );
    void informer.start(stop.signal);
    await informer.waitForSync();
    return informer;
  }

  const versionIn = (informer: Informer<ConfigMap>, name?: string) =>
    informer.get(key(name))?.metadata?.resourceVersion;

  it('has what was written before the watch brings it, and tells of it once', async () => {
    const informer = await start();
    informer.written(object(11));
    expect(versionIn(informer)).to.equal('11');
    await client.send({ type: 'ADDED', object: object(11) });
    expect(changes).to.deep.equal(['added a 11']);
  });

  it('does not go back to what was before', async () => {
    const informer = await start();
    await client.send({ type: 'ADDED', object: object(11) });
    informer.written(object(13));
    await client.send({ type: 'MODIFIED', object: object(12) });
    expect(versionIn(informer)).to.equal('13');
    await client.send({ type: 'MODIFIED', object: object(13) }, { type: 'MODIFIED', object: object(14) });
    expect(changes).to.deep.equal(['added a 11', 'modified a 13', 'modified a 14']);
  });

  it('does not bring back what was deleted before the answer came', async () => {
    const informer = await start();
    await client.send({ type: 'ADDED', object: object(11) }, { type: 'DELETED', object: object(12) });
    informer.written(object(11));
    expect(versionIn(informer)).to.equal(undefined);
  });

  it('keeps what was made anew when the watch tells of the end of what had the name', async () => {
    const informer = await start();
    await client.send({ type: 'ADDED', object: object(11) });
    informer.written(object(13, { uid: 'b' }));
    await client.send({ type: 'DELETED', object: object(12) }, { type: 'ADDED', object: object(13, { uid: 'b' }) });
    expect(versionIn(informer)).to.equal('13');
    expect(changes).to.deep.equal(['added a 11', 'deleted a 11', 'added b 13']);
  });

  it('does not go back with a list that was on its way when it was written', async () => {
    const informer = await start();
    await client.send({ type: 'ADDED', object: object(11) });
    const arriving = Promise.withResolvers<Page<ConfigMap>>();
    client.list = arriving.promise;
    await client.expire();
    informer.written(object(13));
    informer.written(object(14, { name: 'two' }));
    arriving.resolve({ items: [object(11)], resourceVersion: '12' });
    while (client.watches < 2) await turn();
    await client.send({ type: 'MODIFIED', object: object(13) });
    expect(versionIn(informer)).to.equal('13');
    expect(versionIn(informer, 'two')).to.equal('14');
    await client.send({ type: 'DELETED', object: object(15, { name: 'two' }) });
    expect(versionIn(informer, 'two')).to.equal(undefined);
    expect(changes).to.deep.equal(['added a 11', 'modified a 13', 'added a 14', 'deleted a 15']);
  });

  it('tells of what was written only once the watch brings it', async () => {
    const informer = await start();
    informer.written(object(11));
    informer.written(object(12));
    expect(changes).to.deep.equal([]);
    await client.send({ type: 'ADDED', object: object(11) });
    expect(changes).to.deep.equal([]);
    await client.send({ type: 'MODIFIED', object: object(12) });
    expect(changes).to.deep.equal(['added a 12']);
  });

  it('takes none where it has a selection of objects, to which that may not belong', async () => {
    const informer = await start({ labelSelector: 'app=other' });
    informer.written(object(11));
    expect(informer.size).to.equal(0);
  });

  /** A write of somebody, and how many later writes the watch brings before the writer is answered. */
  const write = fc.record({
    name: fc.constantFrom('one', 'two'),
    deletes: fc.boolean(),
    isOwn: fc.boolean(),
    late: fc.integer({ min: -3, max: 3 }),
  });

  it('ends with what the server has, in whatever order answers and the watch come', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(write, { maxLength: 12 }), async (writes) => {
        client = new ScriptedClient();
        stop = new AbortController();
        const informer = await start();
        const server = new Map<string, ConfigMap>();
        /** What happens, in order: `at` is a number of writes that the watch has brought by then. */
        const happening: { at: number; happen: () => Promise<void> | void }[] = [];
        for (const [index, { name, deletes, isOwn, late }] of writes.entries()) {
          const version = 11 + index;
          const known = server.get(name);
          if (deletes && !known) continue;
          const next = object(version, { name, uid: known?.metadata?.uid ?? `${version}` });
          if (deletes) server.delete(name);
          else server.set(name, next);
          const type = deletes ? 'DELETED' : known ? 'MODIFIED' : 'ADDED';
          happening.push({ at: index, happen: () => client.send({ type, object: structuredClone(next) }) });
          if (!isOwn || deletes) continue;
          happening.push({ at: index + late + 0.5, happen: () => informer.written(structuredClone(next)) });
        }
        for (const { happen } of happening.toSorted((a, b) => a.at - b.at)) await happen();
        stop.abort();
        const versions = [...server.values()].map(({ metadata }) => metadata?.resourceVersion).sort();
        expect(informer.list().map(({ metadata }) => metadata?.resourceVersion)).to.have.members(versions);
      }),
    );
  });
});
