import { expect } from 'chai';
import fc from 'fast-check';
import { FairLimit } from '../../../../src/controllers/progress/fair-limit.ts';

const settle = () => new Promise(setImmediate);

/** Tasks that run until they are told to end. */
class Tasks {
  readonly started: string[] = [];
  readonly #ends = new Map<string, () => void>();

  task(name: string): () => Promise<string> {
    return async () => {
      this.started.push(name);
      await new Promise<void>((resolve) => this.#ends.set(name, resolve));
      return name;
    };
  }

  async end(name: string): Promise<void> {
    this.#ends.get(name)?.();
    this.#ends.delete(name);
    await settle();
  }

  get running(): string[] {
    return [...this.#ends.keys()];
  }
}

describe('a fair limit', () => {
  it('lets a group with slow tasks hold up no other', async () => {
    const limit = new FairLimit({ atOnce: 3, ofOneGroup: 2, waitingOfOneGroup: 10 });
    const tasks = new Tasks();
    for (const name of ['a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'c1']) {
      void limit.run(name.slice(0, 1), tasks.task(name));
      await settle();
    }
    expect(tasks.started).to.deep.equal(['a1', 'a2', 'b1']);
    await tasks.end('b1');
    // A has what one group may have, and C has not had its turn.
    expect(tasks.started.at(-1)).to.be.oneOf(['b2', 'c1']);
    await tasks.end(tasks.started.at(-1) ?? '');
    expect(tasks.started.slice(3)).to.have.members(['b2', 'c1']);
    await tasks.end('a1');
    expect(tasks.started.at(-1)).to.equal('a3');
  });

  it('takes no more of a group than it may, and goes on taking those of others', async () => {
    const limit = new FairLimit({ atOnce: 1, ofOneGroup: 1, waitingOfOneGroup: 1 });
    const tasks = new Tasks();
    void limit.run('a', tasks.task('a1'));
    await settle();
    void limit.run('a', tasks.task('a2'));
    expect(await limit.run('a', tasks.task('a3'))).to.equal(undefined);
    const other = limit.run('b', tasks.task('b1'));
    await tasks.end('a1');
    await tasks.end(tasks.running[0] ?? '');
    await tasks.end(tasks.running[0] ?? '');
    expect(tasks.started).to.have.members(['a1', 'a2', 'b1']);
    expect(await other).to.equal('b1');
  });

  it('goes on after a task that fails', async () => {
    const limit = new FairLimit({ atOnce: 1, ofOneGroup: 1, waitingOfOneGroup: 1 });
    const failing = limit.run('a', async () => Promise.reject(new Error('it failed')));
    const next = limit.run('b', async () => 'done');
    const failure = await failing.catch((error: unknown) => error);
    expect(failure).to.have.property('message', 'it failed');
    expect(await next).to.equal('done');
  });

  it('lets go of who waits no longer, and not of who has begun', async () => {
    const limit = new FairLimit({ atOnce: 1, ofOneGroup: 1, waitingOfOneGroup: 2 });
    const tasks = new Tasks();
    const ended = new AbortController();
    const running = limit.run('a', tasks.task('a1'), ended.signal);
    const waiting = limit.run('a', tasks.task('a2'), ended.signal).catch((error: unknown) => error);
    const next = limit.run('a', tasks.task('a3'));
    await settle();
    ended.abort(new Error('too long'));
    expect(await waiting).to.have.property('message', 'too long');
    expect(tasks.started).to.deep.equal(['a1']);
    await tasks.end('a1');
    expect(await running).to.equal('a1');
    await tasks.end('a3');
    expect(await next).to.equal('a3');
    expect(await limit.run('a', tasks.task('a4'), ended.signal).catch(() => 'refused')).to.equal('refused');
  });

  it('never runs more than it may, and in the end all that it took', async () => {
    const limits = { atOnce: 4, ofOneGroup: 2, waitingOfOneGroup: 1000 };
    const groups = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(groups, async (names) => {
        const limit = new FairLimit(limits);
        const running: string[] = [];
        const results = names.map((name) =>
          limit.run(name, async () => {
            running.push(name);
            expect(running.length).to.be.at.most(limits.atOnce);
            expect(running.filter((other) => other === name).length).to.be.at.most(limits.ofOneGroup);
            await settle();
            running.splice(running.indexOf(name), 1);
            return name;
          }),
        );
        expect(await Promise.all(results)).to.deep.equal(names);
      }),
      { numRuns: 30 },
    );
  });
});
