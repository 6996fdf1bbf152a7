import { expect } from 'chai';
import { Metrics } from '../../../src/server/metrics.ts';

describe('metrics of the runtime', () => {
  it('have what collectors set, whichever they set, when they are read for the first time', async () => {
    const metrics = new Metrics();
    metrics.onCollect(() => {
      metrics.informerObjects.set({ informer: 'pods' }, 3);
      metrics.informerLastEvent.set({ informer: 'pods' }, 1_700_000_000);
      metrics.queueDepth.set({ name: 'clones' }, 2);
      metrics.activeWorkers.set({ controller: 'clones' }, 1);
    });
    const told = (await metrics.registry.metrics()).split('\n').filter((line) => !line.startsWith('#'));
    expect(told).to.include.members([
      'informer_objects{informer="pods"} 3',
      'informer_last_event_timestamp_seconds{informer="pods"} 1700000000',
      'workqueue_depth{name="clones"} 2',
      'controller_active_workers{controller="clones"} 1',
    ]);
  });
});
