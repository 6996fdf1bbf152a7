import { expect } from 'chai';
import type { PodVerdict } from '../../../src/controllers/pod-verdict.ts';
import { ProgressPoll } from '../../../src/controllers/progress-poll.ts';
import { TransferFollower } from '../../../src/controllers/transfer-follower.ts';

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
  const follower = (events: object[] = []) =>
    new TransferFollower({
      client: { list: async () => events } as never,
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
    const warning = {
      metadata: {},
      type: 'Warning',
      message: 'MountVolume.SetUp failed',
      lastTimestamp: '2023-11-14T00:00:00Z',
    };
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
});
