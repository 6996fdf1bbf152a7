import { expect } from 'chai';
import { RecentWarnings } from '../../../../src/controllers/runtime/recent-warnings.ts';

describe('the warnings of a namespace', () => {
  const warning = (uid: string, message: string) => ({ metadata: {}, involvedObject: { uid }, message });

  /** @param answers what the API server answers, one for each list */
  function listing(...answers: (object[] | Error)[]) {
    const lists: { namespace?: string; fieldSelector?: string }[] = [];
    const list = async (_: unknown, selection: object) => {
      lists.push(selection);
      const answer = answers[lists.length - 1] ?? [];
      if (answer instanceof Error) throw answer;
      return answer;
    };
    const warnings = new RecentWarnings({ list } as never);
    const about = async (uid: string, now: number, namespace = 'team') =>
      (await warnings.about(namespace, uid, now)).map(({ message }) => message);
    return { about, lists };
  }

  it('are listed once for all objects that are asked about at the same time', async () => {
    const { about, lists } = listing([warning('a', 'full'), warning('b', 'slow'), warning('a', 'fuller')]);
    const found = await Promise.all(['a', 'b', 'c'].map((uid) => about(uid, 0)));
    expect(found).to.deep.equal([['full', 'fuller'], ['slow'], []]);
    expect(await about('b', 500)).to.deep.equal(['slow']);
    expect(lists).to.deep.equal([{ namespace: 'team', fieldSelector: 'type=Warning' }]);
  });

  it('are listed again for another namespace, and later', async () => {
    const { about, lists } = listing([], [], [warning('a', 'full')]);
    expect(await about('a', 0)).to.deep.equal([]);
    expect(await about('a', 0, 'other')).to.deep.equal([]);
    expect(await about('a', 60_000)).to.deep.equal(['full']);
    expect(lists.map(({ namespace }) => namespace)).to.deep.equal(['team', 'other', 'team']);
  });

  it('are kept without what nobody reads of them', async () => {
    const event = {
      ...warning('a', 'full'),
      metadata: { name: 'a.1', managedFields: [{ manager: 'kubelet' }] },
      reason: 'FailedMount',
      lastTimestamp: '2026-01-01T00:00:00Z',
      source: { component: 'kubelet' },
    };
    const warnings = new RecentWarnings({ list: async () => [event] } as never);
    const seenAt = Date.parse(event.lastTimestamp);
    expect(await warnings.about('team', 'a', 0)).to.deep.equal([
      { about: 'a', reason: 'FailedMount', message: 'full', seenAt },
    ]);
  });

  it('are asked for again where that has failed', async () => {
    const { about } = listing(new Error('unavailable'), [warning('a', 'full')]);
    const failure = await about('a', 0).catch((error: Error) => error.message);
    expect(failure).to.equal('unavailable');
    expect(await about('a', 1)).to.deep.equal(['full']);
  });
});
