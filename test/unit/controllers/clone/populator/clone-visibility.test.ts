import { expect } from 'chai';
import fc from 'fast-check';
import { Registry } from 'prom-client';
import { populationAnnotation, stateAnnotation } from '../../../../../src/api/annotations.ts';
import { cloneFallbackReasons, clonePhases, cloneTypes } from '../../../../../src/api/clone.ts';
import { CloneMetrics } from '../../../../../src/controllers/clone/metrics/clone-metrics.ts';
import { phaseSeconds, readPhaseTimes, withPhases } from '../../../../../src/controllers/clone/metrics/phase-times.ts';
import { registerDataVolumeMetrics } from '../../../../../src/controllers/data-volume/metrics.ts';
import {
  phaseTimesAnnotation,
  promisedToAnnotation,
  promisedToClaimAnnotation,
  workForAnnotation,
} from '../../../../../src/controllers/objects/internal-annotations.ts';
import type { PersistentVolume, PersistentVolumeClaim } from '../../../../../src/kube/builtin-resources.ts';
import type { Change } from '../../../../../src/kube/informer.ts';
import { valueOf } from '../../../../support/metric.ts';

describe('the times of a clone’s phases', () => {
  it('are kept in their order, each with its first time', () => {
    const phases = fc.array(fc.tuple(fc.constantFrom(...clonePhases), fc.integer({ min: 0, max: 4e12 })));
    fc.assert(
      fc.property(phases, (entered) => {
        const recorded = entered.reduce<string | undefined>((text, time) => withPhases(text, [time]), undefined);
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
      uid: 'of-vm-1',
      namespace: 'team',
      creationTimestamp: '2026-01-01T00:00:00Z',
      annotations: { [stateAnnotation.clonePhase]: phase, [stateAnnotation.cloneType]: 'copy', ...annotations },
    },
    spec: { dataSourceRef: { apiGroup: 'cdi.kubevirt.io', kind: 'VolumeCloneSource', name: 'of-vm-1' } },
    status: { capacity: { storage: '1Gi' } },
  });

  type Listener<T> = (change: Change<T>) => void;

  function registered(claims: PersistentVolumeClaim[]) {
    const registry = new Registry();
    const listeners = { claims: [] as Listener<PersistentVolumeClaim>[], volumes: [] as Listener<PersistentVolume>[] };
    const count = new CloneMetrics(registry, {
      claims: {
        list: () => claims,
        get: () => claims[0],
        onChange: (listener: Listener<PersistentVolumeClaim>) => listeners.claims.push(listener),
      },
      volumes: {
        get: () => volume(),
        onChange: (listener: Listener<PersistentVolume>) => listeners.volumes.push(listener),
      },
    } as never);
    const metric = async (name: string, labels: Record<string, string | number> = {}) => {
      const found = registry.getSingleMetric(name);
      if (!found) throw new Error(`there is no metric ${name}`);
      return valueOf(found, labels);
    };
    return {
      registry,
      metric,
      count,
      change: (object: PersistentVolumeClaim, type: 'modified' | 'deleted' = 'modified') =>
        listeners.claims.forEach((tell) => tell({ type, object })),
      handOver: (promisedTo: string) =>
        listeners.volumes.forEach((tell) => tell({ type: 'modified', object: volume(promisedTo) } as never)),
    };
  }

  const volume = (promisedTo?: string): PersistentVolume => ({
    metadata: {
      name: 'volume-1',
      annotations: promisedTo ? { [promisedToAnnotation]: promisedTo, [promisedToClaimAnnotation]: 'team/vm-1' } : {},
    },
    spec: { capacity: { storage: '1Gi' } },
  });
  const at = (time: string) => Date.parse(`2026-01-01T00:00:${time}Z`);

  it('count those under way by strategy and phase', async () => {
    const bound = { ...claim('Rebind'), status: { phase: 'Bound' } };
    bound.spec = { ...bound.spec, volumeName: 'volume-1' };
    const { metric } = registered([claim('HostClone'), bound]);
    expect(await metric('diskpress_clones_running', { strategy: 'copy', phase: 'HostClone' })).to.equal(1);
    expect(await metric('diskpress_clones_running')).to.equal(1);
  });

  it('count each success once, with its fallback reason, its size and the time that it took', async () => {
    const times = JSON.stringify({ HostClone: '2026-01-01T00:00:01.000Z', Rebind: '2026-01-01T00:00:04.000Z' });
    const target = claim('Rebind', {
      [stateAnnotation.cloneFallbackReason]: 'IncompatibleVolumeModes',
      [phaseTimesAnnotation]: times,
    });
    const { metric, count, handOver } = registered([target]);
    handOver('of-vm-1');
    count.handedOver(target, at('05'));
    count.handedOver(target, at('06'));
    const labels = { strategy: 'copy', fallback_reason: 'IncompatibleVolumeModes' };
    expect(await metric('diskpress_clones_total', labels)).to.equal(1);
    expect(await metric('diskpress_clone_capacity_bytes_total')).to.equal(2 ** 30);
    expect(await metric('diskpress_clone_duration_seconds', { le: 5 })).to.equal(1);
    expect(await metric('diskpress_clone_phase_duration_seconds', { phase: 'Rebind', le: 1 })).to.equal(1);
    expect(await metric('diskpress_clone_phase_duration_seconds', { phase: 'HostClone', le: 2.5 })).to.equal(0);
    expect(await metric('diskpress_clone_phase_duration_seconds', { phase: 'HostClone', le: 5 })).to.equal(1);
  });

  it('count a direct copy once, and none that only helps on the way', async () => {
    const annotations = { [populationAnnotation.cloneRequest]: 'team/source' };
    const target: PersistentVolumeClaim = { ...claim('', annotations), spec: { volumeName: 'volume-1' } };
    const { metric, count, change } = registered([target]);
    count.copied(target, at('05'));
    count.copied(target, at('05'));
    count.copied(
      { ...target, metadata: { ...claim('', { ...annotations, [workForAnnotation]: '1' }).metadata } },
      at('05'),
    );
    expect(await metric('diskpress_clones_total', { strategy: 'copy', fallback_reason: '' })).to.equal(1);
    expect(await metric('diskpress_clone_capacity_bytes_total')).to.equal(2 ** 30);
    change(target, 'deleted');
    count.copied(target, at('05'));
    expect(await metric('diskpress_clones_total'), 'what is remembered goes with the claim').to.equal(2);
  });

  it('count nothing for what a claim says of itself', async () => {
    const target = claim('Rebind');
    const complete = claim('Succeeded');
    const { metric, count, change, handOver } = registered([target]);
    for (const each of [target, complete, target, complete]) change(each);
    count.handedOver(target, at('05'));
    count.handedOver(complete, at('05'));
    handOver('of-another-claim');
    count.handedOver(target, at('05'));
    expect(await metric('diskpress_clones_total')).to.equal(0);
    expect(await metric('diskpress_clone_duration_seconds')).to.equal(0);
  });

  it('have labels of closed sets only, and times within the claim’s life, whatever users write', async () => {
    const text = fc.oneof(fc.string({ maxLength: 300 }), fc.constantFrom(...clonePhases, 'copy', 'NoPopulator'));
    const time = fc.oneof(
      fc.string(),
      fc.date({ noInvalidDate: true }).map((date) => date.toJSON()),
    );
    const known = new Set<string>([...clonePhases, ...cloneTypes, ...cloneFallbackReasons, 'other', '']);
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(text, text, text),
        fc.dictionary(fc.constantFrom(...clonePhases), time),
        async ([phase, type, reason], times) => {
          const target = claim(phase, {
            [stateAnnotation.cloneType]: type,
            [stateAnnotation.cloneFallbackReason]: reason,
            [phaseTimesAnnotation]: JSON.stringify(times),
          });
          const { registry, metric, count, handOver } = registered([target]);
          handOver('of-vm-1');
          count.handedOver(target, at('05'));
          expect(await metric('diskpress_clones_total')).to.equal(1);
          for (const { name, values } of await registry.getMetricsAsJSON()) {
            for (const { labels, value } of values) {
              const { le, ...others } = labels;
              expect([...known], `a label of ${name}`).to.include.members(Object.values(others).map(String));
              if (le === '+Inf') expect(value).to.be.at.most(1);
            }
          }
          const sums = (await registry.metrics()).matchAll(/^\S*_seconds_sum\S* (\S+)$/gm);
          for (const [line, sum] of sums) expect(Number(sum), line).to.be.within(0, 5);
        },
      ),
      { numRuns: 200 },
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
