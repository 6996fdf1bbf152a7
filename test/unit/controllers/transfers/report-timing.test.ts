import { expect } from 'chai';
import { ReportTiming } from '../../../../src/controllers/transfers/report-timing.ts';
import {
  pendingReport,
  reportAnnotations,
  runningReport,
  type TransferReport,
} from '../../../../src/controllers/transfers/transfer-report.ts';
import type { PersistentVolumeClaim } from '../../../../src/kube/builtin-resources.ts';
import { cachesOf } from '../caches.ts';

const MADE = Date.parse('2026-01-01T00:00:00Z');
const KEY = { namespace: 'team', name: 'prime' };
const PROVISIONER = 'volume.kubernetes.io/storage-provisioner';
const SELECTED_NODE = 'volume.kubernetes.io/selected-node';

const starting = pendingReport(0, { reason: 'Pending', message: 'Pod team/importer is starting' });
const unschedulable = pendingReport(0, { reason: 'Unschedulable', message: 'Pod team/importer cannot be scheduled' });

describe('when a report is written on a claim without a volume', () => {
  const caches = cachesOf({
    storageClasses: [
      { metadata: { name: 'late' }, provisioner: 'csi.example', volumeBindingMode: 'WaitForFirstConsumer' },
      { metadata: { name: 'early' }, provisioner: 'csi.example' },
    ],
  });
  const claim = (storageClassName: string, annotations: Record<string, string> = {}) => ({
    metadata: { ...KEY, uid: 'of-prime', annotations, creationTimestamp: new Date(MADE).toISOString() },
    spec: { storageClassName } as PersistentVolumeClaim['spec'],
  });

  /** Returns whether a report may be written when the claim is of this age, and after how long it may be otherwise. */
  async function decided(about: ReturnType<typeof claim>, report: TransferReport, age = 0) {
    const timing = new ReportTiming(caches, () => MADE + age);
    let mayWrite: boolean | undefined;
    const work = async () => {
      mayWrite = timing.mayWrite(about, report);
      return undefined;
    };
    const result = await timing.orPostponed(KEY, work);
    return { mayWrite, after: result?.requeueAfter };
  }

  it('is not while the volume controller is about to name its provisioner', async () => {
    const placed = { [SELECTED_NODE]: 'node1' };
    for (const about of [claim('early'), claim('late', placed)]) {
      expect(await decided(about, unschedulable)).to.include({ mayWrite: false });
    }
    expect(await decided(claim('early'), unschedulable)).to.include({ after: 15_000 });
    expect((await decided(claim('early', { [PROVISIONER]: 'csi.example' }), unschedulable)).mayWrite).to.equal(true);
  });

  it('is not while the scheduler is about to find a node, unless that takes long', async () => {
    expect(await decided(claim('late'), unschedulable, 4_000)).to.deep.equal({ mayWrite: false, after: 6_000 });
    expect((await decided(claim('late'), unschedulable, 10_000)).mayWrite).to.equal(true);
  });

  it('is not again, only because the scheduler has found other words', async () => {
    const told = claim('late', reportAnnotations(unschedulable));
    const other = pendingReport(0, { reason: 'Unschedulable', message: 'Pod team/importer: preemption will not help' });
    expect(await decided(told, other, 60_000)).to.deep.equal({ mayWrite: false, after: undefined });
  });

  it('is never, while the only news is that a pod is starting', async () => {
    expect(await decided(claim('late'), starting, 60_000)).to.deep.equal({ mayWrite: false, after: undefined });
  });

  it('is at once, where a pod is at work, or the volume is there', async () => {
    expect((await decided(claim('late'), runningReport(undefined, undefined, 0))).mayWrite).to.equal(true);
    const bound = { ...claim('early'), spec: { volumeName: 'volume' }, status: { phase: 'Bound' } };
    expect((await decided(bound, starting)).mayWrite).to.equal(true);
  });

  it('does not delay what is to be done sooner', async () => {
    const timing = new ReportTiming(caches, () => MADE);
    const work = async () => {
      timing.mayWrite(claim('early'), unschedulable);
      return { requeueAfter: 500 };
    };
    expect(await timing.orPostponed(KEY, work)).to.deep.equal({ requeueAfter: 500 });
  });
});
