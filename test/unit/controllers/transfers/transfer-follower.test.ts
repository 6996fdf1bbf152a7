import { expect } from 'chai';
import { ProgressPoll } from '../../../../src/controllers/progress/progress-poll.ts';
import type { PodVerdict } from '../../../../src/controllers/transfers/pod-verdict.ts';
import { TransferFollower } from '../../../../src/controllers/transfers/transfer-follower.ts';
import { pendingReport } from '../../../../src/controllers/transfers/transfer-report.ts';

const NOW = 1_700_000_000_000;
const attempt = { pod: { metadata: { uid: 'of-the-pod' } }, restarts: 1, recorded: undefined };
const failed = (permanent: boolean, finishedAt: number) =>
  ({
    state: 'failed',
    permanent,
    reason: 'NotFound',
    message: 'no such disk',
    finishedAt,
  }) as const satisfies PodVerdict;

describe('a transfer that is followed', () => {
  const follower = (events: readonly { reason?: string; message: string }[] = []) =>
    new TransferFollower({
      client: {
        list: async (_: unknown, { fieldSelector }: { fieldSelector: string }) =>
          events.filter(({ reason }) => !fieldSelector.split(',').includes(`reason!=${reason}`)),
      } as never,
      now: () => NOW,
      progress: new ProgressPoll(),
    });

  it('is asked how far it is once a second at most, however often somebody looks', async () => {
    const following = follower();
    const first = await following.follow({ state: 'running' }, attempt);
    expect(first.report).to.include({ podPhase: 'Running', restarts: 1, running: true });
    expect(first.next).to.deep.equal({ requeueAfter: 1000 });
    expect(await following.follow({ state: 'running' }, attempt)).to.deep.equal({ next: { requeueAfter: 1000 } });
    const other = { ...attempt, pod: { metadata: { uid: 'of-another-pod' } } };
    expect(await following.follow({ state: 'running' }, other)).to.have.property('report');
  });

  it('is waited for while its pod is pending', async () => {
    const pending = { state: 'pending', reason: 'Unschedulable', message: 'no node fits' } as const;
    const { report, next } = await follower().follow(pending, attempt);
    expect(report).to.include({ podPhase: 'Pending', reason: 'Unschedulable', message: 'no node fits' });
    expect(next).to.equal(undefined);
  });

  it('is told about where its pod has its node and does not start', async () => {
    const warningOf = (message: string) => ({
      metadata: {},
      type: 'Warning',
      message,
      lastTimestamp: '2023-11-14T00:00:00Z',
    });
    const warning = warningOf('MountVolume.SetUp failed');
    const pending = { state: 'pending', reason: 'Pending', message: 'it is starting' } as const;
    const scheduled = (secondsAgo: number) => ({
      ...attempt,
      pod: {
        metadata: { namespace: 'golden', name: 'reader' },
        spec: { nodeName: 'node1', containers: [] },
        status: {
          conditions: [
            {
              type: 'PodScheduled',
              status: 'True',
              lastTransitionTime: new Date(NOW - secondsAgo * 1000).toISOString(),
            },
          ],
        },
      },
    });
    const early = await follower([warning]).follow(pending, scheduled(1));
    expect(early).to.deep.include({ next: { requeueAfter: 3000 } });
    expect(early.report).to.include({ reason: 'Pending', message: 'it is starting' });
    const late = await follower([warning]).follow(pending, scheduled(10));
    expect(late.report).to.include({
      reason: 'ErrStartingPod',
      message: 'Pod golden/reader does not start on node "node1": MountVolume.SetUp failed',
    });
    expect(late.next).to.deep.equal({ requeueAfter: 4000 });
    expect((await follower().follow(pending, scheduled(10))).report).to.include({ reason: 'Pending' });
    const noNode = { ...warningOf('0/1 nodes are available'), reason: 'FailedScheduling' };
    expect((await follower([noNode]).follow(pending, scheduled(10))).report).to.include({ reason: 'Pending' });
    const notYetNoted = warningOf("no relationship found between node 'node1' and this object");
    expect((await follower([notYetNoted]).follow(pending, scheduled(10))).report).to.include({ reason: 'Pending' });
    const neverNoted = await follower([notYetNoted]).follow(pending, scheduled(70));
    expect(neverNoted.report).to.include({ reason: 'ErrStartingPod' });
  });

  it('is given up when it cannot succeed', async () => {
    const { report, next } = await follower().follow(failed(true, NOW), attempt);
    expect(report).to.include({ podPhase: 'Failed', restarts: 1, message: 'no such disk' });
    expect(next).to.equal(undefined);
  });

  it('is started again after a while where it can, and the attempt counted', async () => {
    const waiting = await follower().follow(failed(false, NOW - 500), attempt);
    expect(waiting.report).to.include({ podPhase: 'Pending', restarts: 2, message: 'no such disk' });
    expect(waiting.next).to.deep.equal({ requeueAfter: 1500 });
    expect((await follower().follow(failed(false, NOW - 2000), attempt)).next).to.equal('start-again');
  });

  describe('while a Secret is missing', () => {
    const missing = (secondsAgo: number) =>
      ({
        ...failed(false, NOW - secondsAgo * 1000),
        reason: 'SecretNotFound',
        message: 'Secret "login" does not exist',
      }) as const;
    const recorded = pendingReport(3, { reason: 'SecretNotFound', message: 'Secret "login" does not exist' });
    const running = (startedSecondsAgo: number) => ({
      metadata: { uid: `started-${startedSecondsAgo}` },
      status: {
        containerStatuses: [
          { state: { running: { startedAt: new Date(NOW - startedSecondsAgo * 1000).toISOString() } } } as never,
        ],
      },
    });

    it('is made anew after 15 seconds at most, however often that has been', async () => {
      for (const [restarts, seconds] of [
        [0, 1],
        [2, 4],
        [4, 15],
        [5, 15],
        [100, 15],
      ] as const) {
        const { next } = await follower().follow(missing(0), { ...attempt, restarts });
        expect(next, `after ${restarts}`).to.deep.equal({ requeueAfter: seconds * 1000 });
        expect((await follower().follow(missing(seconds), { ...attempt, restarts })).next).to.equal('start-again');
      }
    });

    it('counts few attempts, so that what fails afterwards is soon tried again too', async () => {
      let restarts = 0;
      for (let attempts = 0; attempts < 20; attempts++) {
        const { report } = await follower().follow(missing(0), { ...attempt, restarts });
        restarts = report?.restarts ?? 0;
      }
      expect(restarts).to.equal(5);
      const other = await follower().follow(failed(false, NOW), { ...attempt, restarts });
      expect(other.report?.restarts).to.equal(6);
      expect(other.next).to.deep.equal({ requeueAfter: 32_000 });
      const many = await follower().follow(missing(0), { ...attempt, restarts: 9 });
      expect(many.report?.restarts, 'what has been counted stays').to.equal(9);
    });

    it('is said to wait for it, also while the next pod starts and looks', async () => {
      const starting = { state: 'pending', reason: 'Pending', message: 'it is starting' } as const;
      const { report } = await follower().follow(starting, { ...attempt, restarts: 3, recorded });
      expect(report).to.deep.equal(recorded);
      const looking = await follower().follow(
        { state: 'running' },
        { ...attempt, pod: running(1), restarts: 3, recorded },
      );
      expect(looking).to.deep.equal({ next: { requeueAfter: 1000 } });
    });

    it('is said to run once it does', async () => {
      const told = { stage: 'copying', bytesRead: 1, bytesSkipped: 0, bytesPerSecond: 0 };
      const answering = new TransferFollower({
        client: {} as never,
        now: () => NOW,
        progress: { ask: async () => ({ progress: told }) } as never,
      });
      const answered = await answering.follow({ state: 'running' }, { ...attempt, pod: running(1), recorded });
      expect(answered.report).to.include({ podPhase: 'Running', reason: 'TransferRunning' });
      const silent = await follower().follow({ state: 'running' }, { ...attempt, pod: running(6), recorded });
      expect(silent.report).to.include({ podPhase: 'Running', reason: 'TransferRunning' });
    });
  });
});
