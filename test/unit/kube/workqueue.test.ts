import { expect } from 'chai';
import fc from 'fast-check';
import { WorkQueue } from '../../../src/kube/workqueue.ts';
import { Metrics } from '../../../src/server/metrics.ts';
import { valueOf } from '../../support/metric.ts';

const soon = () => new Promise((resolve) => setTimeout(resolve, 5));

describe('WorkQueue', () => {
  let queue: WorkQueue;
  let metrics: Metrics;

  beforeEach(() => {
    metrics = new Metrics();
    queue = new WorkQueue('test', metrics, { base: 10, max: 40 });
  });
  afterEach(() => queue.shutDown());

  it('gives out keys in the order in which they came, each once', async () => {
    for (const key of ['a', 'b', 'a', 'c', 'b']) queue.add(key);
    expect([await queue.get(), await queue.get(), await queue.get()]).to.deep.equal(['a', 'b', 'c']);
    expect(queue.size).to.equal(0);
  });

  it('gives one look to all that comes at once, even if a worker waits', async () => {
    const first = queue.get();
    const second = queue.get();
    queue.add('a');
    queue.add('a');
    queue.add('b');
    expect([await first, await second]).to.deep.equal(['a', 'b']);
    queue.done('a');
    await soon();
    expect(queue.size).to.equal(0);
  });

  it('keeps a key from a second worker until the first is done with it', async () => {
    queue.add('a');
    await queue.get();
    queue.add('a');
    let again: string | undefined;
    void queue.get().then((key) => (again = key));
    await soon();
    expect(again).to.equal(undefined);
    queue.done('a');
    await soon();
    expect(again).to.equal('a');
  });

  it('adds a key later, at the earliest of several times', async () => {
    const start = performance.now();
    queue.addAfter('a', 200_000);
    queue.addAfter('a', 20);
    queue.addAfter('a', 100_000);
    expect(await queue.get()).to.equal('a');
    expect(performance.now() - start).to.be.within(15, 50_000);
    queue.done('a');
    await soon();
    expect(queue.size).to.equal(0);
  });

  it('does not take a delay of months for none', async () => {
    queue.addAfter('a', 2 ** 40);
    await soon();
    expect(queue.size).to.equal(0);
  });

  it('doubles the delay with each failure, up to a limit, until the key is forgotten', async () => {
    const delays: number[] = [];
    for (let failure = 1; failure <= 4; failure++) {
      const start = performance.now();
      queue.addRateLimited('a');
      await queue.get();
      delays.push(performance.now() - start);
      queue.done('a');
    }
    expect(delays[0]).to.be.greaterThan(8);
    expect(delays[1]).to.be.greaterThan(18);
    expect(delays[2]).to.be.greaterThan(38);
    expect(delays[3]).to.be.greaterThan(38);
    expect(queue.failures('a')).to.equal(4);
    queue.forget('a');
    expect(queue.failures('a')).to.equal(0);
  });

  it('waits at least as long as something else asks for', async () => {
    const start = performance.now();
    queue.addRateLimited('a', 100);
    await queue.get();
    expect(performance.now() - start).to.be.greaterThan(95);
  });

  it('tells waiting workers when it is shut down, and takes nothing more', async () => {
    const waiting = queue.get();
    queue.addAfter('later', 1);
    queue.shutDown();
    queue.add('a');
    expect(await waiting).to.equal(undefined);
    expect(await queue.get()).to.equal(undefined);
    await soon();
    expect(queue.size).to.equal(0);
  });

  it('says how deep it is and how long its slowest worker has been at it', async () => {
    for (const key of ['a', 'b', 'c']) queue.add(key);
    await queue.get();
    await soon();
    await metrics.registry.metrics();
    expect(await valueOf(metrics.queueDepth, { name: 'test' })).to.equal(2);
    expect(await valueOf(metrics.queueLongestRunning, { name: 'test' })).to.be.greaterThan(0.003);
    expect(await valueOf(metrics.queueAdds, { name: 'test' })).to.equal(3);
  });

  it('loses no key and never gives one to two workers, whatever happens in whatever order', async function () {
    this.timeout(20_000);
    const key = fc.constantFrom('a', 'b', 'c', 'd');
    const step = fc.oneof(
      fc.record({ do: fc.constant('add' as const), key }),
      fc.record({ do: fc.constant('after' as const), key, delay: fc.integer({ min: 0, max: 3 }) }),
      fc.record({ do: fc.constant('fail' as const), key }),
      fc.record({ do: fc.constant('pause' as const), ticks: fc.integer({ min: 1, max: 3 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), fc.integer({ min: 1, max: 3 }), async (steps, workers) => {
        const queue = new WorkQueue('property', new Metrics(), { base: 1, max: 4 });
        const working = new Set<string>();
        /** What the world wants of each key, and what a worker saw when it began. */
        const wanted = new Map<string, number>();
        const seen = new Map<string, number>();
        const work = async () => {
          for (let key = await queue.get(); key !== undefined; key = await queue.get()) {
            if (working.has(key)) throw new Error(`two workers have ${key}`);
            working.add(key);
            seen.set(key, wanted.get(key) ?? 0);
            await new Promise(setImmediate);
            working.delete(key);
            queue.done(key);
          }
        };
        const all = Promise.all(Array.from({ length: workers }, work));
        for (const step of steps) {
          if (step.do === 'pause') {
            for (let tick = 0; tick < step.ticks; tick++) await new Promise(setImmediate);
            continue;
          }
          wanted.set(step.key, (wanted.get(step.key) ?? 0) + 1);
          if (step.do === 'add') queue.add(step.key);
          else if (step.do === 'after') queue.addAfter(step.key, step.delay);
          else queue.addRateLimited(step.key);
        }
        const deadline = performance.now() + 20_000;
        const settled = () => [...wanted].every(([key, count]) => seen.get(key) === count) && working.size === 0;
        while (!settled() && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 1));
        expect(Object.fromEntries(seen)).to.deep.equal(Object.fromEntries(wanted));
        queue.shutDown();
        await all;
      }),
      { numRuns: 60 },
    );
  });
});
