import { mock } from 'node:test';
import { expect } from 'chai';
import { asTransferError, TransferError } from '../../../src/base/errors.ts';
import { formatBytes } from '../../../src/base/format-bytes.ts';
import { Patience } from '../../../src/base/patience.ts';
import { Progress } from '../../../src/base/progress.ts';

const refused = new TransferError('ConnectionRefused', 'example.org refused the connection');

describe('Progress', () => {
  it('tells how much is done, and what is being done', () => {
    const steps: string[] = [];
    const progress = new Progress((step) => steps.push(step));
    expect(progress.snapshot()).to.include({ stage: 'starting', bytesRead: 0, bytesWritten: 0 });
    progress.enter('copying');
    progress.enter('copying');
    progress.counters.bytesTotal = 200;
    progress.read(50);
    progress.wrote(20);
    expect(progress.snapshot()).to.include({
      stage: 'copying',
      bytesRead: 50,
      bytesTotal: 200,
      bytesWritten: 20,
      percent: 25,
    });
    progress.completed(0.5);
    expect(progress.snapshot().percent).to.equal(50);
    progress.enter('done');
    expect(progress.snapshot().percent).to.equal(100);
    expect(steps).to.deep.equal(['copying', 'done']);
  });

  it('shows a passing failure until bytes come again', () => {
    const progress = new Progress();
    progress.failed(refused, 4000);
    expect(progress.snapshot()).to.include({ retries: 1, failure: refused.message });
    expect(progress.snapshot().stage).to.equal(`retrying in 4 s: ${refused.message}`);
    progress.read(1);
    expect(progress.snapshot()).not.to.have.property('failure');
    expect(progress.snapshot().retries).to.equal(1);
  });
});

describe('Progress of a source that sends nothing', () => {
  let later = 0;

  beforeEach(() => {
    const now = performance.now.bind(performance);
    later = 0;
    mock.method(performance, 'now', () => now() + later);
  });

  afterEach(() => {
    mock.restoreAll();
  });

  it('says for how long, and has neither rate nor time to go', () => {
    const progress = new Progress();
    progress.enter('copying');
    progress.counters.bytesTotal = 1000;
    progress.read(100);
    later = 300;
    progress.read(100);
    progress.awaiting();
    expect(progress.snapshot().stage).to.equal('copying');
    expect(progress.snapshot().bytesPerSecond).to.be.greaterThan(0);
    later += 65_000;
    progress.awaiting();
    expect(progress.snapshot()).to.include({
      stage: 'copying, nothing has come from the source for 1 min 5 s',
      bytesPerSecond: 0,
    });
    expect(progress.snapshot()).not.to.have.property('secondsLeft');
    progress.read(1);
    expect(progress.snapshot().stage).to.equal('copying');
  });

  it('does not take a transfer for silent that is busy with what has come', () => {
    const progress = new Progress();
    progress.enter('copying');
    progress.awaiting();
    progress.read(100);
    later = 65_000;
    expect(progress.snapshot().stage).to.equal('copying');
    progress.awaiting();
    progress.enter('syncing');
    later += 65_000;
    expect(progress.snapshot().stage).to.equal('syncing');
  });

  it('does not count down where it is being tried', () => {
    const progress = new Progress();
    progress.failed(refused, 4000);
    later = 4001;
    expect(progress.snapshot().stage).to.equal(`trying again: ${refused.message}`);
  });
});

describe('Patience', () => {
  const options = { giveUpAfter: 100, firstDelay: 1, longestDelay: 20 };

  it('tries again until it succeeds', async () => {
    let attempts = 0;
    const result = await new Patience(options, new Progress()).persist(async () => {
      attempts += 1;
      if (attempts < 4) throw refused;
      return 'done';
    }, asTransferError);
    expect([result, attempts]).to.deep.equal(['done', 4]);
  });

  it('does not repeat what cannot help', async () => {
    const permanent = new TransferError('NotFound', 'missing');
    const error = await new Patience(options, new Progress())
      .afterFailure(permanent)
      .catch((reason: unknown) => reason);
    expect(error).to.equal(permanent);
  });

  it('ends where nothing moves on, and not where something does', async () => {
    const patience = new Patience(options, new Progress());
    const started = performance.now();
    while (performance.now() - started < 250) {
      await patience.afterFailure(refused);
      patience.renew();
    }
    const failing = async (): Promise<void> => {
      for (;;) await patience.afterFailure(refused);
    };
    const failure = await failing().catch((reason: unknown) => reason);
    expect(failure).to.include({ code: 'ConnectionRefused' });
    expect(failure)
      .to.have.property('message')
      .that.matches(/^example\.org refused the connection \(tried \d+ times in \d s\)$/);
  });

  it('ends sooner where the other side is there and sends nothing', async () => {
    const stalled = new TransferError('SourceStalled', 'example.org sends nothing');
    const patience = new Patience({ ...options, giveUpAfter: 60_000, giveUpStalledAfter: 50 }, new Progress());
    const failing = async (): Promise<void> => {
      for (;;) await patience.afterFailure(stalled);
    };
    expect(await failing().catch((reason: unknown) => reason)).to.include({ code: 'SourceStalled' });
    // Whoever was away in between may have been mended.
    await patience.afterFailure(refused);
    await patience.afterFailure(stalled);
  });

  it('ends where so few bytes come that they are not progress', async () => {
    const patience = new Patience(options, new Progress());
    const dripping = async (bytes: number, until: number): Promise<void> => {
      while (performance.now() < until) {
        await patience.afterFailure(refused);
        patience.received(bytes);
      }
    };
    await dripping(256 * 1024, performance.now() + 250);
    const failure = await dripping(1, performance.now() + 5000).catch((reason: unknown) => reason);
    expect(failure).to.include({ code: 'ConnectionRefused' });
  });

  it('keeps to the log what belongs to the ordinary course', async () => {
    const steps: string[] = [];
    const progress = new Progress((step) => steps.push(step));
    const refused = new TransferError('ConnectionRefused', 'nobody listens yet');
    await new Patience({ ...options, quietFor: 60_000 }, progress).afterFailure(refused);
    expect(progress.snapshot()).to.include({ retries: 0 }).and.to.not.have.property('failure');
    expect(steps).to.deep.equal(['waiting']);
  });

  it('stops waiting when it is told to', async () => {
    const controller = new AbortController();
    const patience = new Patience({ ...options, firstDelay: 60_000 }, new Progress(), controller.signal);
    const waiting = patience.afterFailure(refused).catch((reason: unknown) => reason);
    const interrupted = new TransferError('Interrupted', 'interrupted');
    controller.abort(interrupted);
    expect(await waiting).to.equal(interrupted);
  });
});

describe('formatBytes', () => {
  it('takes the unit that fits', () => {
    expect([0, 1023, 1024, 1536, 1024 ** 3 * 1.4].map(formatBytes)).to.deep.equal([
      '0 B',
      '1023 B',
      '1 KiB',
      '1.5 KiB',
      '1.4 GiB',
    ]);
  });
});
