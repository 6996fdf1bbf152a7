import { Writable } from 'node:stream';
import { expect } from 'chai';
import winston from 'winston';
import { Controller } from '../../../src/kube/controller.ts';
import { WaitingError } from '../../../src/kube/errors.ts';
import type { EventSource } from '../../../src/kube/event-source.ts';
import { Metrics } from '../../../src/server/metrics.ts';

const watches = [
  {
    attach: (enqueue: (key: { namespace: string; name: string }) => void) => enqueue({ namespace: 'a', name: 'b' }),
  } as EventSource,
];

describe('a failure that could not be reported yet', () => {
  it('is looked at again once it may be, however long it is waited for', async () => {
    const ending = new AbortController();
    let looks = 0;
    const reconciler = {
      name: 'postponing',
      reconcile: async () => {
        looks += 1;
        if (looks === 2) ending.abort();
        throw new WaitingError('Waiting', 'a volume', { after: 600_000 });
      },
      failed: async () => ({ requeueAfter: 1 }),
    };
    const logger = winston.createLogger({ silent: true });
    await new Controller(reconciler, { watches, workers: 1, logger, metrics: new Metrics() }).run(ending.signal);
    expect(looks).to.equal(2);
  });
});

describe('the log of a controller', () => {
  it('says once what an object waits for, and again when it waits for something else', async () => {
    const ending = new AbortController();
    const messages = ['a volume', 'a volume', 'a volume', undefined, 'a volume', 'a pod'];
    const reconciler = {
      name: 'waiting',
      reconcile: async () => {
        const message = messages.shift();
        if (messages.length === 0) ending.abort();
        if (message === undefined) return { requeueAfter: 1 };
        throw new WaitingError('Waiting', message, { after: 1 });
      },
    };
    const told: string[] = [];
    const stream = new Writable({ write: (line: Buffer, _, done) => (told.push(String(line)), done()) });
    const logger = winston.createLogger({ transports: [new winston.transports.Stream({ stream })] });
    await new Controller(reconciler, { watches, workers: 1, logger, metrics: new Metrics() }).run(ending.signal);
    const waits = told.map((line) => JSON.parse(line) as { message: string; reason?: string });
    expect(waits.filter(({ reason }) => reason).map(({ message }) => message)).to.deep.equal(['a volume', 'a volume']);
  });
});
