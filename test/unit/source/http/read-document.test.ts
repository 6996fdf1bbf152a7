import { expect } from 'chai';
import { HttpClient } from '../../../../src/source/http/client.ts';
import { readDocument, readJson } from '../../../../src/source/http/read-document.ts';
import { HttpServers, repeat } from './http-servers.ts';

describe('small documents', () => {
  const servers = new HttpServers();
  const client = new HttpClient({});

  afterEach(() => servers.close());
  after(() => client.close());

  it('are read whole', async () => {
    const url = await servers.http((_, response) => response.end('{"a":[1]}'));
    expect(await readJson(await client.request(url, {}))).to.deep.equal({ a: [1] });
  });

  it('are refused where they are too long, whether or not that is announced', async () => {
    for (const head of ['content-length: 9000000\r\n\r\n', 'transfer-encoding: chunked\r\n\r\n100000\r\n']) {
      const url = await servers.tcp((socket) => {
        socket.write(`HTTP/1.1 200 OK\r\n${head}`);
        repeat(socket, 'x'.repeat(50_000));
      });
      const failure = await readJson(await client.request(url, {})).catch((error: unknown) => error);
      expect(failure).to.include({ code: 'ProtocolViolation', permanent: true });
      expect(failure).to.have.property('message').that.includes('more than 64 KiB');
    }
  });

  it('are not waited for any longer because a byte comes now and then', async () => {
    for (const [head, drop] of [
      ['content-length: 9000', 'x'],
      ['transfer-encoding: chunked', '1\r\nx\r\n'],
    ] as const) {
      const url = await servers.tcp((socket) => {
        socket.write(`HTTP/1.1 200 OK\r\n${head}\r\n\r\n`);
        repeat(socket, drop, 20);
      });
      const response = await client.request(url, {});
      const failure = await readDocument(response, { longest: 9000, timeout: 200 }).catch((error: unknown) => error);
      expect(failure).to.include({ code: 'STALLED' });
    }
  });

  it('are refused where they are not JSON, without showing what they are', async () => {
    const url = await servers.http((_, response) => response.end('\x1b[31m{'));
    const failure = await readJson(await client.request(url, {})).catch((error: unknown) => error);
    expect(failure).to.include({ code: 'ProtocolViolation' });
    expect(failure).to.have.property('message').that.not.includes('\x1b');
  });
});
