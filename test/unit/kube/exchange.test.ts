import { once } from 'node:events';
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { Agent } from 'undici';
import { exchange } from '../../../src/kube/exchange.ts';

const queueTimeout = 60_000;

describe('an exchange with a server', () => {
  const dispatcher = new Agent();
  const servers: Server[] = [];

  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.close();
      server.closeAllConnections();
    }
  });
  after(() => dispatcher.destroy());

  /** @returns the answer, and the status that was told when the headers came */
  async function asked(listener: RequestListener, signal?: AbortSignal) {
    const server = createServer(listener).listen(0, '127.0.0.1');
    servers.push(server);
    await once(server, 'listening');
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const told: number[] = [];
    const request = { origin, path: '/', method: 'POST', body: '{}', signal, queueTimeout } as const;
    return { answer: await exchange(dispatcher, request, (status) => told.push(status)), told };
  }

  it('has the whole answer, in however many parts it comes, and its status before', async () => {
    const text = `{"name":"${'ü'.repeat(100_000)}"}`;
    const { answer, told } = await asked((request, response) => {
      request.resume().once('end', () => {
        response.writeProcessing();
        response.writeHead(201, { 'retry-after': '3' });
        for (let at = 0; at < text.length; at += 30_001) response.write(text.slice(at, at + 30_001));
        response.end();
      });
    });
    expect(answer.text).to.equal(text);
    expect(answer.statusCode).to.equal(201);
    expect(answer.headers['retry-after']).to.equal('3');
    expect(told).to.deep.equal([201]);
  });

  it('fails where the answer breaks off', async () => {
    const failure = await asked((_, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('{"name":');
      response.socket?.destroySoon();
    }).catch((error: unknown) => error);
    expect(failure).to.be.instanceOf(Error);
  });

  it('ends with the reason of its signal, before and after the headers have come', async () => {
    for (const isAnswered of [false, true]) {
      const ending = new AbortController();
      const reason = new Error('no longer needed');
      const failure = await asked((_, response) => {
        if (isAnswered) response.writeHead(200).write('{');
        ending.abort(reason);
      }, ending.signal).catch((error: unknown) => error);
      expect(failure).to.equal(reason);
    }
    const failure = await asked(() => undefined, AbortSignal.abort('too late')).catch((error: unknown) => error);
    expect(failure).to.equal('too late');
  });

  describe('while others have all connections', () => {
    let only: Agent;
    let origin: string;
    let asked: number;

    beforeEach(async () => {
      only = new Agent({ connections: 1, pipelining: 1 });
      asked = 0;
      const server = createServer((_, response) => {
        asked += 1;
        // The first one gets no answer.
        if (asked > 1) response.end('{}');
      }).listen(0, '127.0.0.1');
      servers.push(server);
      await once(server, 'listening');
      origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    });
    afterEach(() => only.destroy());

    /** Begins an exchange that gets no answer, and returns what ends it. */
    async function occupy(): Promise<() => Promise<void>> {
      const ending = new AbortController();
      const request = { origin, path: '/', method: 'GET', signal: ending.signal, queueTimeout } as const;
      const first = exchange(only, request, () => undefined).catch(() => undefined);
      await once(servers.at(-1)!, 'request');
      return async () => {
        ending.abort();
        await first;
      };
    }

    it('ends with the reason of its signal', async () => {
      const free = await occupy();
      const queued = new AbortController();
      const request = { origin, path: '/', method: 'GET', signal: queued.signal, queueTimeout } as const;
      const second = exchange(only, request, () => undefined);
      queued.abort('no longer needed');
      expect(await second.catch((error: unknown) => error)).to.equal('no longer needed');
      await free();
    });

    it('is given up in time, and not sent when its turn comes', async () => {
      const free = await occupy();
      const request = { origin, path: '/', method: 'POST', body: '{}' } as const;
      const second = exchange(only, { ...request, queueTimeout: 20 }, () => undefined);
      expect(await second.catch(String)).to.match(/no connection became free for the request within 0.02 s/);
      const third = exchange(only, { ...request, queueTimeout }, () => undefined);
      await free();
      expect(await third).to.include({ statusCode: 200 });
      expect(asked).to.equal(2);
    });

    it('leaves the connection to the next request where its turn comes after it was given up', async () => {
      let connections = 0;
      servers.at(-1)?.on('connection', () => (connections += 1));
      const request = { origin, path: '/', method: 'POST', body: '{}' } as const;
      const first = exchange(only, { ...request, queueTimeout }, () => undefined);
      const [, response] = (await once(servers.at(-1)!, 'request')) as [unknown, ServerResponse];
      const second = exchange(only, { ...request, queueTimeout: 20 }, () => undefined);
      const third = exchange(only, { ...request, queueTimeout }, () => undefined);
      expect(await second.catch(String)).to.match(/no connection became free/);
      response.end('{}');
      expect(await Promise.all([first, third])).to.have.length(2);
      expect({ asked, connections }).to.deep.equal({ asked: 2, connections: 1 });
    });
  });
});
