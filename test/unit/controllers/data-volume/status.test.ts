import { expect } from 'chai';
import { stateAnnotation } from '../../../../src/api/annotations.ts';
import type { DataVolume, DataVolumeStatus } from '../../../../src/api/data-volume.ts';
import { eventsOf } from '../../../../src/controllers/data-volume/events.ts';
import { type DataVolumeWorld, observe } from '../../../../src/controllers/data-volume/observation.ts';
import { statusToWrite } from '../../../../src/controllers/data-volume/status.ts';
import {
  pausedReport,
  reportAnnotations,
  type TransferReport,
} from '../../../../src/controllers/transfers/transfer-report.ts';
import type { PersistentVolumeClaim } from '../../../../src/kube/builtin-resources.ts';
import { TerminalError, WaitingError } from '../../../../src/kube/errors.ts';

const dataVolume = (status?: DataVolumeStatus): DataVolume => ({
  apiVersion: 'cdi.kubevirt.io/v1beta1',
  kind: 'DataVolume',
  metadata: { name: 'disk', namespace: 'default', uid: 'u' },
  spec: { source: { http: { url: 'http://server/disk.img' } } },
  ...(status ? { status } : {}),
});

const report = (changes: Partial<TransferReport> = {}): TransferReport => ({
  podPhase: 'Running',
  restarts: 0,
  running: true,
  reason: 'TransferRunning',
  message: '1.0 MiB of 2.0 MiB',
  progress: '50.00%',
  ...changes,
});

const claim = (options: {
  populated?: boolean;
  bound?: boolean;
  phase?: string;
  report?: TransferReport;
  annotations?: Record<string, string>;
}): PersistentVolumeClaim => ({
  metadata: {
    name: 'disk',
    annotations: { ...(options.report ? reportAnnotations(options.report) : {}), ...options.annotations },
  },
  spec: {
    ...(options.bound ? { volumeName: 'v' } : {}),
    ...(options.populated === false
      ? {}
      : { dataSourceRef: { apiGroup: 'cdi.kubevirt.io', kind: 'VolumeImportSource', name: 's' } }),
  },
  status: { phase: options.phase ?? (options.bound ? 'Bound' : 'Pending') },
});

const world = (changes: Partial<DataVolumeWorld>): DataVolumeWorld => ({
  dataVolume: dataVolume(),
  claim: undefined,
  kind: 'import',
  awaitsConsumer: false,
  hasOwnVolume: true,
  failure: undefined,
  ...changes,
});

describe('the status of a DataVolume', () => {
  it('is no success where the claim is bound to a volume that was not handed to it', () => {
    const failed = report({ podPhase: 'Failed', running: false, reason: 'ErrClaimNotValid' });
    const before = world({ claim: claim({ bound: true }), hasOwnVolume: false });
    const after = world({ claim: claim({ bound: true, report: failed }), hasOwnVolume: false });
    expect([before, after].map((state) => observe(state).phase)).to.deep.equal(['Pending', 'Failed']);
  });

  it('is paused between the stages of an import, populated or not, which is told once', () => {
    const stage = { [stateAnnotation.checkpointCurrent]: 'snapshot-1' };
    for (const populated of [true, false]) {
      const paused = world({
        claim: claim({ populated, bound: !populated, report: pausedReport(0), annotations: stage }),
      });
      const observed = observe(paused);
      expect(observed).to.include({ phase: 'Paused', progress: '100.0%' });
      const [bound, ready, running] = observed.conditions;
      expect(bound?.status).to.equal(populated ? 'False' : 'True');
      expect(ready).to.include({ status: 'False', reason: 'Paused' });
      expect(running).to.include({ status: 'False', reason: 'ImportPaused' });
      const before = statusToWrite(dataVolume(), observe(world({ claim: claim({ populated, report: report() }) })), 0);
      const events = eventsOf(dataVolume(before), observed, 'import');
      expect(events.filter(({ reason }) => reason !== 'Bound')).to.deep.equal([
        { type: 'Normal', reason: 'ImportPaused', message: 'Multistage import into PVC disk is paused' },
      ]);
      expect(eventsOf(dataVolume(statusToWrite(dataVolume(), observed, 0)), observed, 'import')).to.deep.equal([]);
    }
  });

  it('follows an import', () => {
    const phases = [
      world({}),
      world({ claim: claim({}) }),
      world({ claim: claim({ report: report({ podPhase: 'Pending', running: false }) }) }),
      world({ claim: claim({ report: report() }) }),
      world({ claim: claim({ report: report({ podPhase: 'Succeeded', running: false }) }) }),
      world({ claim: claim({ bound: true, report: report({ podPhase: 'Succeeded', running: false }) }) }),
    ].map((state) => observe(state).phase);
    expect(phases).to.deep.equal([
      'Pending',
      'Pending',
      'ImportScheduled',
      'ImportInProgress',
      'ImportInProgress',
      'Succeeded',
    ]);
  });

  it('follows an upload', () => {
    const pod = (podPhase: TransferReport['podPhase'], message = '') =>
      report({ podPhase, message, running: podPhase === 'Running' });
    const waiting = 'waiting for an upload: 0 bytes so far';
    const states = [
      world({ kind: 'upload', claim: claim({}) }),
      world({ kind: 'upload', claim: claim({ report: pod('Pending') }) }),
      world({ kind: 'upload', claim: claim({ report: pod('Running', waiting) }) }),
      world({ kind: 'upload', claim: claim({ report: pod('Succeeded') }) }),
      world({ kind: 'upload', claim: claim({ bound: true, report: pod('Succeeded') }) }),
      world({ kind: 'upload', claim: claim({ report: pod('Failed') }) }),
    ].map(observe);
    expect(states.map(({ phase }) => phase)).to.deep.equal([
      'Pending',
      'UploadScheduled',
      'UploadReady',
      'UploadReady',
      'Succeeded',
      'Failed',
    ]);
    const running = states.map(({ conditions }) => conditions.find(({ type }) => type === 'Running'));
    expect(running[2]).to.include({ status: 'True', reason: 'TransferRunning', message: waiting });
    expect(running[4]).to.include({ status: 'False', reason: 'Completed', message: 'Upload Complete' });
  });

  it('is not Succeeded for a claim that is written directly before the writing has succeeded', () => {
    const written = (podPhase: 'Running' | 'Succeeded') =>
      observe(world({ claim: claim({ populated: false, bound: true, report: report({ podPhase }) }) })).phase;
    expect(written('Running')).to.equal('ImportInProgress');
    expect(written('Succeeded')).to.equal('Succeeded');
  });

  it('tells a consumer that is waited for, by population', () => {
    const waiting = (populated: boolean) => observe(world({ awaitsConsumer: true, claim: claim({ populated }) }));
    expect(waiting(true).phase).to.equal('PendingPopulation');
    expect(waiting(false).phase).to.equal('WaitForFirstConsumer');
    expect(waiting(true).conditions.find(({ type }) => type === 'Running')?.message).to.contain('create that pod');
  });

  it('maps the phases of a clone', () => {
    const cloning = claim({
      annotations: { [stateAnnotation.clonePhase]: 'CSIClone' },
      report: report({ podPhase: 'Pending' }),
    });
    expect(observe(world({ kind: 'clone', claim: cloning })).phase).to.equal('CSICloneInProgress');
  });

  it('carries the cause of a permanent failure in the Running condition', () => {
    const failed = report({ podPhase: 'Failed', running: false, reason: 'NotFound', message: 'no such file' });
    const observed = observe(world({ claim: claim({ report: failed }) }));
    expect(observed.phase).to.equal('Failed');
    expect(observed.conditions.find(({ type }) => type === 'Running')).to.deep.equal({
      type: 'Running',
      status: 'False',
      reason: 'NotFound',
      message: 'no such file',
    });
  });

  it('tells what is waited for from what has failed for good', () => {
    const waiting = observe(world({ failure: new WaitingError('StorageClassNotFound', 'no class x') }));
    expect(waiting.phase).to.equal('Pending');
    const failed = observe(world({ failure: new TerminalError('ErrClaimNotValid', 'no size') }));
    expect(failed.phase).to.equal('Failed');
    expect(failed.conditions.map(({ status }) => status)).to.deep.equal(['False', 'False', 'False']);
  });

  it('is Failed when a populated claim was deleted or has lost its volume', () => {
    const lost = observe(world({ claim: claim({ phase: 'Lost' }) }));
    expect(lost.phase).to.equal('Failed');
    const deleted = observe(world({ dataVolume: dataVolume({ phase: 'Succeeded' }) }));
    expect(deleted.phase).to.equal('Failed');
  });
});

describe('the events of a DataVolume', () => {
  const reasons = (before: DataVolumeStatus | undefined, now: DataVolumeWorld) =>
    eventsOf(dataVolume(before), observe(now), now.kind).map(({ reason }) => reason);

  it('tell every milestone of an import that was too fast to be seen', () => {
    const succeeded = world({ claim: claim({ bound: true, report: report({ podPhase: 'Succeeded' }) }) });
    expect(reasons({ phase: 'Pending' }, succeeded)).to.deep.equal([
      'Bound',
      'ImportScheduled',
      'ImportInProgress',
      'ImportSucceeded',
    ]);
  });

  it('tell every milestone of an upload, and its failure', () => {
    const upload = (podPhase: TransferReport['podPhase'], bound = false) =>
      world({ kind: 'upload', claim: claim({ bound, report: report({ podPhase, reason: 'NotAnImage' }) }) });
    expect(reasons({ phase: 'Pending' }, upload('Running'))).to.deep.equal(['UploadScheduled', 'UploadReady']);
    expect(reasons({ phase: 'UploadReady' }, upload('Succeeded', true))).to.deep.equal(['Bound', 'UploadSucceeded']);
    expect(reasons({ phase: 'UploadReady' }, upload('Failed'))).to.deep.equal(['UploadFailed']);
  });

  it('tell a success in the words that clients know', () => {
    const bound = claim({ bound: true });
    const told = (given: DataVolume, kind: DataVolumeWorld['kind']) =>
      eventsOf(given, observe(world({ dataVolume: given, claim: bound, kind })), kind).at(-1);
    const of = (spec: DataVolume['spec']): DataVolume => ({ ...dataVolume(), spec });
    expect(told(dataVolume(), 'import')).to.include({
      reason: 'ImportSucceeded',
      message: 'Successfully imported into PVC disk',
    });
    for (const namespace of ['', 'default'])
      expect(told(of({ source: { pvc: { namespace, name: 'golden' } } }), 'clone')).to.include({
        reason: 'CloneSucceeded',
        message: 'Successfully cloned from default/golden into default/disk',
      });
    const dataSourceRef = { apiGroup: 'example', kind: 'Sample', name: 'one' };
    expect(told(of({ pvc: { dataSourceRef } }), 'external-population')).to.include({
      reason: 'ExternalPopulationSucceeded',
      message: 'PVC disk successfully populated by Sample one',
    });
  });

  it('tell a permanent failure once, with its cause', () => {
    const failed = world({
      claim: claim({ report: report({ podPhase: 'Failed', running: false, reason: 'NotFound', message: 'gone' }) }),
    });
    const events = eventsOf(dataVolume({ phase: 'ImportInProgress' }), observe(failed), 'import');
    expect(events).to.deep.equal([{ type: 'Warning', reason: 'ImportFailed', message: 'gone' }]);
    expect(reasons({ phase: 'Failed' }, failed)).to.deep.equal([]);
  });

  it('name the cause of a failure where the API has a reason for it', () => {
    const refused = report({
      podPhase: 'Failed',
      running: false,
      reason: 'CloneValidationFailed',
      message: 'too small',
    });
    expect(reasons(undefined, world({ kind: 'clone', claim: claim({ report: refused }) }))).to.deep.equal([
      'CloneValidationFailed',
    ]);
    expect(reasons(undefined, world({ claim: claim({ phase: 'Lost' }) }))).to.deep.equal(['ErrClaimLost']);
    const missing = report({ podPhase: 'Failed', running: false, reason: 'NotFound', message: '404' });
    expect(reasons(undefined, world({ claim: claim({ report: missing }) }))).to.deep.equal(['ImportFailed']);
  });

  it('tell how a clone is made before it runs, also where it ran too fast to be seen', () => {
    const plan = 'csi-clone, then rebind into team-a';
    const at = (clonePhase: string, message: string) =>
      world({
        kind: 'clone',
        claim: claim({
          report: report({ podPhase: 'Pending', message }),
          annotations: { [stateAnnotation.clonePhase]: clonePhase },
        }),
      });
    const told = (before: DataVolumeStatus, now: DataVolumeWorld) =>
      eventsOf(dataVolume(before), observe(now), 'clone', plan).map(({ reason, message }) => `${reason}: ${message}`);
    const planned = at('Pending', 'Step 1 of 2: reading golden/image');
    const message = 'Step 1 of 2: claim golden/tmp is being provisioned';
    const cloning = at('CSIClone', message);
    expect(told({ phase: 'Pending' }, planned)).to.deep.equal([`CloneScheduled: Clone into disk: ${plan}`]);
    const inProgress = `CSICloneInProgress: ${message}`;
    expect(told({ phase: 'Pending' }, cloning)).to.deep.equal([`CloneScheduled: Clone into disk: ${plan}`, inProgress]);
    const { phase, conditions } = observe(planned);
    expect(told({ phase, conditions: [...conditions] }, cloning)).to.deep.equal([inProgress]);
  });

  it('warn of a passing failure when it begins, not at each attempt', () => {
    const retrying = world({
      claim: claim({ report: report({ reason: 'Retrying', message: 'in 4 s: connection refused' }) }),
    });
    const before = observe(world({ claim: claim({ report: report() }) }));
    expect(reasons({ phase: before.phase, conditions: [...before.conditions] }, retrying)).to.deep.equal(['Retrying']);
    const during = observe(retrying);
    expect(reasons({ phase: during.phase, conditions: [...during.conditions] }, retrying)).to.deep.equal([]);
  });
});

describe('the times of conditions', () => {
  it('are written only when something changed, and move only with the status', () => {
    const first = statusToWrite(dataVolume(), observe(world({})), 0);
    expect(
      first?.conditions?.every(({ lastTransitionTime }) => lastTransitionTime === '1970-01-01T00:00:00Z'),
    ).to.equal(true);
    expect(statusToWrite(dataVolume(first), observe(world({})), 60_000)).to.equal(undefined);
    const second = statusToWrite(dataVolume(first), observe(world({ claim: claim({ report: report() }) })), 60_000);
    const times = Object.fromEntries((second?.conditions ?? []).map((one) => [one.type, one.lastTransitionTime]));
    expect(times).to.deep.equal({
      Bound: '1970-01-01T00:00:00Z',
      Ready: '1970-01-01T00:00:00Z',
      Running: '1970-01-01T00:01:00Z',
    });
  });
});
