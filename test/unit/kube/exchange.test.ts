import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { Agent } from 'undici';
import { exchange } from '../../../src/kube/exchange.ts';

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
    const request = { origin, path: '/', method: 'POST', body: '{}', signal } as const;
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

  it('ends with the reason of its signal while others have all connections', async () => {
    const only = new Agent({ connections: 1, pipelining: 1 });
    try {
      const server = createServer(() => undefined).listen(0, '127.0.0.1');
      servers.push(server);
      await once(server, 'listening');
      const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const request = { origin, path: '/', method: 'GET' } as const;
      const ending = new AbortController();
      const first = exchange(only, { ...request, signal: ending.signal }, () => undefined).catch(() => undefined);
      await once(server, 'request');
      const queued = new AbortController();
      const second = exchange(only, { ...request, signal: queued.signal }, () => undefined);
      queued.abort('no longer needed');
      expect(await second.catch((error: unknown) => error)).to.equal('no longer needed');
      ending.abort();
      await first;
    } finally {
      await only.destroy();
    }
  });
});
