import { expect } from 'chai';
import { connectionFailure } from '../../../../src/source/http/failures.ts';
import { ProxiedClient } from '../../../../src/source/http/proxied-client.ts';
import { HttpServers } from './http-servers.ts';

describe('answers through a proxy', () => {
  const servers = new HttpServers();
  const url = new URL('http://server.example/disk');
  let client: ProxiedClient;

  /** What is read, or how it fails, where the proxy answers like that. */
  const read = async (answer: string, isCut = false): Promise<string> => {
    const proxy = await servers.tcp((socket) => (isCut ? socket.end(answer) : socket.write(answer)));
    try {
      const { body } = await client.ask(url, { method: 'GET', headers: {} }, proxy, () => true);
      let text = '';
      for await (const chunk of body) text += chunk.toString();
      return text;
    } catch (error) {
      const { code, permanent } = connectionFailure(error, url);
      return `${code}, ${permanent ? 'permanent' : 'passing'}`;
    }
  };

  beforeEach(() => {
    client = new ProxiedClient({
      timeouts: { connect: 5000, headers: 5000, body: 5000 },
      tls: () => Promise.resolve({}),
      proxyTls: () => Promise.resolve({}),
    });
  });

  afterEach(async () => {
    await client.close();
    await servers.close();
  });

  it('have the same limits as others', async () => {
    const withFields = (count: number): string => {
      const fields = Array.from({ length: count }, (_, index) => `x-${index}: ${'x'.repeat(1000)}\r\n`);
      return `HTTP/1.1 200 OK\r\n${fields.join('')}content-length: 2\r\n\r\nok`;
    };
    expect(await read(withFields(60))).to.equal('ok');
    expect(await read(withFields(70))).to.equal('ProtocolViolation, permanent');
  });

  it('may be cut, and are asked for again', async () => {
    for (const answer of ['HTTP/1.1 200 OK\r\nx: ', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhel']) {
      expect(await read(answer, true), answer).to.equal('ConnectionLost, passing');
    }
  });

  it('may have nothing that HTTP/1.1 does not allow', async () => {
    for (const answer of [
      'SSH-2.0-OpenSSH_9.2\r\n',
      'HTTP/1.1 200 OK\r\nspaced name: x\r\n\r\n',
      'HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n',
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
    ]) {
      expect(await read(answer), answer).to.equal('ProtocolViolation, permanent');
    }
  });
});
