import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { readBody } from '../../../src/server/read-body.ts';

const LIMIT = 64 * 1024;

describe('bodies of requests', () => {
  let server: Server;

  before(async () => {
    server = createServer((request, response) => {
      void readBody(request, LIMIT).then((body) => response.end(`${body?.length ?? 'too large'}`));
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
  });
  after(() => server.close());

  /** Sends all of it, and only then reads the answer. */
  async function answerTo(head: string, ...body: (string | Buffer)[]): Promise<string> {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').pause();
    const sent = new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.write(`POST / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n${head}\r\n\r\n`);
      socket.write(Buffer.concat(body.map((part) => Buffer.from(part))), () => resolve());
    });
    await sent;
    return text(socket);
  }
  const declared = (length: number) => answerTo(`content-length: ${length}`, Buffer.alloc(length, 'x'));
  const inChunks = (length: number) =>
    answerTo('transfer-encoding: chunked', `${length.toString(16)}\r\n`, Buffer.alloc(length, 'x'), '\r\n0\r\n\r\n');

  for (const [how, send] of Object.entries({ 'with a declared length': declared, 'in chunks': inChunks })) {
    it(`are taken up to the limit, ${how}`, async () => {
      expect(await send(LIMIT)).to.match(new RegExp(`\\b${LIMIT}\\b`));
    });

    it(`are sent to their end before the answer that they are too large, ${how}`, async () => {
      for (const length of [LIMIT + 1, 16 * 1024 * 1024]) expect(await send(length)).to.include('too large');
    });
  }
});
