import { Writable } from 'node:stream';
import { expect } from 'chai';
import winston from 'winston';
import { Controller } from '../../../src/kube/controller.ts';
import { WaitingError } from '../../../src/kube/errors.ts';
import type { EventSource } from '../../../src/kube/event-source.ts';
import { Metrics } from '../../../src/server/metrics.ts';

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
    const watch = {
      attach: (enqueue: (key: { namespace: string; name: string }) => void) => enqueue({ namespace: 'a', name: 'b' }),
    };
    const watches = [watch as EventSource];
    await new Controller(reconciler, { watches, workers: 1, logger, metrics: new Metrics() }).run(ending.signal);
    const waits = told.map((line) => JSON.parse(line) as { message: string; reason?: string });
    expect(waits.filter(({ reason }) => reason).map(({ message }) => message)).to.deep.equal(['a volume', 'a volume']);
  });
});
