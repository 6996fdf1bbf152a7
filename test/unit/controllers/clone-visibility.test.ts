import { expect } from 'chai';
import fc from 'fast-check';
import { Registry } from 'prom-client';
import { stateAnnotation } from '../../../src/api/annotations.ts';
import { clonePhases } from '../../../src/api/clone.ts';
import { registerCloneMetrics } from '../../../src/controllers/clone-populator/metrics.ts';
import { phaseSeconds, readPhaseTimes, withPhase } from '../../../src/controllers/clone-populator/phase-times.ts';
import { registerDataVolumeMetrics } from '../../../src/controllers/data-volume/metrics.ts';
import { phaseTimesAnnotation } from '../../../src/controllers/internal-annotations.ts';
import type { PersistentVolumeClaim } from '../../../src/kube/builtin-resources.ts';
import type { Change } from '../../../src/kube/informer.ts';
import { valueOf } from '../../support/metric.ts';

describe('the times of a clone’s phases', () => {
  it('are kept in their order, each with its first time', () => {
    const phases = fc.array(fc.tuple(fc.constantFrom(...clonePhases), fc.integer({ min: 0, max: 4e12 })));
    fc.assert(
      fc.property(phases, (entered) => {
        const recorded = entered.reduce<string | undefined>(
          (text, [phase, at]) => withPhase(text, phase, at),
          undefined,
        );
        const firsts = entered.filter(([phase], at) => entered.findIndex(([other]) => other === phase) === at);
        expect(readPhaseTimes(recorded)).to.deep.equal(firsts);
      }),
    );
  });

  it('tell how long each took that is over', () => {
    expect(
      phaseSeconds([
        ['CSIClone', 1000],
        ['Rebind', 1250],
        ['Succeeded', 3250],
      ]),
    ).to.deep.equal([
      ['CSIClone', 0.25],
      ['Rebind', 2],
    ]);
  });

  it('are none where somebody wrote something else', () => {
    for (const text of ['', '{', '[]', 'null', '{"Rebind":"soon","Other":"2026-01-01T00:00:00Z"}']) {
      expect(readPhaseTimes(text), text).to.deep.equal([]);
    }
  });
});

describe('the metrics of clones', () => {
  const claim = (phase: string, annotations: Record<string, string> = {}): PersistentVolumeClaim => ({
    metadata: {
      name: 'vm-1',
      namespace: 'team',
      creationTimestamp: '2026-01-01T00:00:00Z',
      annotations: { [stateAnnotation.clonePhase]: phase, [stateAnnotation.cloneType]: 'copy', ...annotations },
    },
    spec: { dataSourceRef: { apiGroup: 'cdi.kubevirt.io', kind: 'VolumeCloneSource', name: 'of-vm-1' } },
    status: { capacity: { storage: '1Gi' } },
  });

  function registered(claims: PersistentVolumeClaim[]) {
    const registry = new Registry();
    const listeners: ((change: Change<PersistentVolumeClaim>) => void)[] = [];
    const cache = { list: () => claims, onChange: (listener: (typeof listeners)[number]) => listeners.push(listener) };
    registerCloneMetrics(registry, { claims: cache } as never);
    const metric = async (name: string, labels: Record<string, string> = {}) => {
      const found = registry.getSingleMetric(name);
      if (!found) throw new Error(`there is no metric ${name}`);
      return valueOf(found, labels);
    };
    return { metric, change: (change: Change<PersistentVolumeClaim>) => listeners.forEach((tell) => tell(change)) };
  }

  it('count those under way by strategy and phase', async () => {
    const { metric } = registered([claim('HostClone'), claim('Succeeded')]);
    expect(await metric('diskpress_clones_running', { strategy: 'copy', phase: 'HostClone' })).to.equal(1);
    expect(await metric('diskpress_clones_running')).to.equal(1);
  });

  it('count each success once, with its fallback reason, its size and the time that it took', async () => {
    const { metric, change } = registered([]);
    const times = JSON.stringify({
      HostClone: '2026-01-01T00:00:01.000Z',
      Rebind: '2026-01-01T00:00:04.000Z',
      Succeeded: '2026-01-01T00:00:05.000Z',
    });
    const annotations = {
      [stateAnnotation.cloneFallbackReason]: 'IncompatibleVolumeModes',
      [phaseTimesAnnotation]: times,
    };
    const complete = claim('Succeeded', annotations);
    change({ type: 'modified', object: complete, previous: claim('Rebind', annotations) });
    change({ type: 'modified', object: complete, previous: complete });
    change({ type: 'added', object: complete });
    const labels = { strategy: 'copy', fallback_reason: 'IncompatibleVolumeModes' };
    expect(await metric('diskpress_clones_total', labels)).to.equal(1);
    expect(await metric('diskpress_clone_capacity_bytes_total')).to.equal(2 ** 30);
    expect(await metric('diskpress_clone_duration_seconds', { le: 5 } as never)).to.equal(1);
    expect(await metric('diskpress_clone_phase_duration_seconds', { phase: 'Rebind', le: 1 } as never)).to.equal(1);
    expect(await metric('diskpress_clone_phase_duration_seconds', { phase: 'HostClone', le: 2.5 } as never)).to.equal(
      0,
    );
  });

  it('count the DataVolumes that wait for a default class', async () => {
    const registry = new Registry();
    const waiting = { conditions: [{ type: 'Running', status: 'False', reason: 'StorageClassNotFound' }] };
    const list = () => [
      { spec: { pvc: {} }, status: waiting },
      { spec: { storage: { storageClassName: 'missing' } }, status: waiting },
      { spec: { storage: {} }, status: { phase: 'Succeeded' } },
    ];
    registerDataVolumeMetrics(registry, { dataVolumes: { list } } as never);
    expect(await registry.metrics()).to.match(/^kubevirt_cdi_datavolume_pending 1$/m);
  });
});
