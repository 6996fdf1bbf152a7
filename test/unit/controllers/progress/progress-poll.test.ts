import { expect } from 'chai';
import { ProgressPoll } from '../../../../src/controllers/progress/progress-poll.ts';
import type { Pod } from '../../../../src/kube/builtin-resources.ts';
import type { TransferProgress } from '../../../../src/protocol/transfer-pod.ts';

const pod = (uid: string, namespace = 'team', podIP = '10.0.0.1'): Pod => ({
  metadata: { uid, namespace },
  status: { podIP },
});
const progress = { stage: 'copying' } as TransferProgress;

describe('the progress of many pods', () => {
  it('is asked for by address, also of the newer protocol', async () => {
    const asked: string[] = [];
    const poll = new ProgressPoll({ fetch: async (origin) => (asked.push(origin), progress) });
    expect(await poll.ask(pod('1'))).to.deep.equal({ progress });
    expect(await poll.ask(pod('2', 'team', 'fd00::1'))).to.deep.equal({ progress });
    expect(asked).to.deep.equal(['http://10.0.0.1:8080', 'http://[fd00::1]:8080']);
  });

  it('is not waited for where it is late, and told at the next look', async () => {
    let now = 0;
    const answers: ((progress: TransferProgress) => void)[] = [];
    const fetch = async () => new Promise<TransferProgress>((resolve) => answers.push(resolve));
    const poll = new ProgressPoll({ fetch, now: () => now, patience: 1 });
    expect(await poll.ask(pod('slow'))).to.deep.equal({ progress: undefined });
    now = 500;
    answers[0]?.(progress);
    await new Promise(setImmediate);
    expect(await poll.ask(pod('slow'))).to.equal(undefined);
    now = 1000;
    expect(await poll.ask(pod('slow'))).to.deep.equal({ progress });
    now = 2000;
    expect(await poll.ask(pod('slow')), 'nothing has come since').to.deep.equal({ progress: undefined });
  });

  it('is asked of so many at a time only, and those that do not answer hold up their own namespace', async () => {
    const never = new Set<string>();
    let asked = 0;
    const fetch = async (origin: string): Promise<TransferProgress | undefined> => {
      asked += 1;
      return origin.includes('10.6.6.6') ? new Promise(() => never.add(origin)) : progress;
    };
    const poll = new ProgressPoll({ fetch, patience: 1 });
    const hostile = Array.from({ length: 1000 }, (_, index) => poll.ask(pod(`hostile-${index}`, 'theirs', '10.6.6.6')));
    await Promise.all(hostile);
    expect(asked).to.equal(8);
    expect(await poll.ask(pod('honest'))).to.deep.equal({ progress });
  });
});
