import { expect } from 'chai';
import { explainLeaving, judgePair } from '../../../../src/controllers/clone/copy/verdict.ts';
import { judgePod, type PodVerdict } from '../../../../src/controllers/transfers/pod-verdict.ts';
import type { Pod } from '../../../../src/kube/builtin-resources.ts';

const pod = (status: NonNullable<Pod['status']>): Pod => ({ metadata: { name: 'importer-disk' }, status });

const ended = (exitCode: number, message: string | undefined, reason = 'Error'): Pod =>
  pod({
    phase: exitCode === 0 ? 'Succeeded' : 'Failed',
    containerStatuses: [
      {
        name: 'importer',
        image: '',
        imageID: '',
        ready: false,
        restartCount: 0,
        state: {
          terminated: { exitCode, reason, finishedAt: '2026-01-02T03:04:05Z', ...(message ? { message } : {}) },
        },
      },
    ],
  });

describe('the verdict on a transfer pod', () => {
  it('takes a success with its result', () => {
    const result = { outcome: 'succeeded', bytesRead: 3, bytesWritten: 2 };
    expect(judgePod(ended(0, JSON.stringify(result)))).to.deep.equal({ state: 'succeeded', result });
  });

  it('is that of the transfer, whatever other containers are in the pod and go on', () => {
    const done = ended(0, JSON.stringify({ outcome: 'succeeded', bytesRead: 3, bytesWritten: 2 }));
    const sidecar = { image: '', imageID: '', ready: true, restartCount: 0, state: { running: {} } };
    for (const name of ['agent', 'datadog-agent', 'envoy', 'istio-proxy', 'zipkin']) {
      const containerStatuses = [{ ...sidecar, name }, ...(done.status?.containerStatuses ?? [])].sort((one, other) =>
        one.name.localeCompare(other.name),
      );
      const beside = pod({ phase: 'Running', containerStatuses });
      expect(judgePod(beside).state, name).to.equal('succeeded');
    }
  });

  it('does not take a success from a pod that failed, nor without a result', () => {
    const claimed = JSON.stringify({ outcome: 'succeeded', bytesRead: 3, bytesWritten: 2 });
    expect(judgePod(ended(1, claimed)).state).to.equal('failed');
    expect(judgePod(ended(0, undefined)).state).to.equal('failed');
    expect(judgePod(ended(0, '{"outcome":"succ')).state).to.equal('failed');
  });

  it('tells that an image cannot be pulled that another container has', () => {
    const container = { name: 'image', image: '', imageID: '', ready: false, restartCount: 0 };
    const waiting = { reason: 'ImagePullBackOff', message: 'no such image' };
    const starting = { ...container, name: 'importer', state: { waiting: { reason: 'PodInitializing' } } };
    const initContainerStatuses = [{ ...container, state: { waiting } }];
    const status = { phase: 'Pending', containerStatuses: [starting], initContainerStatuses };
    expect(judgePod(pod(status))).to.deep.equal({ state: 'pending', ...waiting });
  });

  it('tells permanent from passing failures as the pod says, with the time', () => {
    const message = JSON.stringify({ outcome: 'failed', permanent: true, code: 'NotFound', message: 'no such file' });
    expect(judgePod(ended(1, message))).to.deep.equal({
      state: 'failed',
      permanent: true,
      reason: 'NotFound',
      message: 'no such file',
      finishedAt: Date.parse('2026-01-02T03:04:05Z'),
    });
  });

  it('explains a pod killed for want of memory, and lets it be tried again', () => {
    const verdict = judgePod(ended(137, undefined, 'OOMKilled'));
    expect(verdict).to.include({ state: 'failed', permanent: false, reason: 'OOMKilled' });
    expect((verdict as { message: string }).message).to.contain('podResourceRequirements');
  });

  it('tells a pod that was killed', () => {
    const terminated = { exitCode: 137, reason: 'Error' };
    const status = { name: 'importer', image: '', imageID: '', ready: false, restartCount: 0, state: { terminated } };
    const verdict = judgePod(pod({ phase: 'Failed', containerStatuses: [status] }));
    expect(verdict).to.include({
      state: 'failed',
      permanent: false,
      reason: 'PodKilled',
      message: 'Pod importer-disk was killed, by signal 9; another one follows',
    });
  });

  it('explains an evicted pod', () => {
    const verdict = judgePod(pod({ phase: 'Failed', reason: 'Evicted', message: 'The node was low on memory' }));
    expect(verdict).to.include({ state: 'failed', permanent: false, reason: 'Evicted' });
  });

  it('tells a pod that runs from one whose node does not answer', () => {
    const running = (conditions: { type: string; status: string; reason?: string }[]): Pod => ({
      ...pod({
        phase: 'Running',
        conditions,
        containerStatuses: [
          {
            name: 'importer',
            image: '',
            imageID: '',
            ready: true,
            restartCount: 0,
            state: { running: {} },
          },
        ],
      }),
      spec: { nodeName: 'node1', containers: [] },
    });
    expect(judgePod(running([{ type: 'Ready', status: 'True' }])).state).to.equal('running');
    expect(judgePod(running([{ type: 'Ready', status: 'False', reason: 'ContainersNotReady' }])).state).to.equal(
      'running',
    );
    const verdict = judgePod(running([{ type: 'Ready', status: 'False' }]));
    expect(verdict).to.include({ state: 'pending', reason: 'NodeNotReady' });
    expect((verdict as { message: string }).message).to.include('"node1"');
  });

  it('passes on why a pod cannot be scheduled or started', () => {
    const condition = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/1 nodes fit' };
    expect(judgePod(pod({ phase: 'Pending', conditions: [condition] }))).to.deep.equal({
      state: 'pending',
      reason: 'Unschedulable',
      message: 'Pod importer-disk cannot be scheduled: 0/1 nodes fit',
    });
    const waiting = { reason: 'ImagePullBackOff', message: 'no such image' };
    const status = { name: 'importer', image: '', imageID: '', ready: false, restartCount: 0, state: { waiting } };
    expect(judgePod(pod({ phase: 'Pending', containerStatuses: [status] }))).to.deep.equal({
      state: 'pending',
      ...waiting,
    });
  });
});

describe('the verdict on a pair of clone pods', () => {
  const succeeded: PodVerdict = { state: 'succeeded', result: { outcome: 'succeeded', bytesRead: 1, bytesWritten: 1 } };
  const failed = (permanent: boolean): PodVerdict => ({
    state: 'failed',
    permanent,
    reason: permanent ? 'ImageTooLarge' : 'ConnectionLost',
    message: '',
    finishedAt: undefined,
  });

  it('is success when the target has succeeded, whatever the source has heard of it', () => {
    expect(judgePair(succeeded, succeeded).state).to.equal('succeeded');
    expect(judgePair({ state: 'running' }, succeeded).state).to.equal('succeeded');
    expect(judgePair(failed(false), succeeded).state).to.equal('succeeded');
    expect(judgePair(succeeded, { state: 'running' }).state).to.equal('running');
  });

  it('is failure when either has failed, and the permanent cause counts more', () => {
    expect(judgePair(failed(false), { state: 'running' })).to.include({ state: 'failed', permanent: false });
    expect(judgePair(failed(false), failed(true))).to.include({ reason: 'ImageTooLarge' });
  });

  it('says what is waited for while a pod is being deleted', () => {
    expect(explainLeaving(pod({ phase: 'Running' }))).to.include({ reason: 'PodReplaced' });
    const lost = explainLeaving({ ...pod({ reason: 'NodeLost' }), spec: { nodeName: 'node1', containers: [] } });
    expect(lost.reason).to.equal('NodeLost');
    expect(lost.message).to.include('"node1"');
  });
});
