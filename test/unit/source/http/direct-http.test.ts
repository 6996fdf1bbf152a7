import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createSecureServer as createSecureHttp2Server, createServer as createHttp2Server } from 'node:http2';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { createServer as createTlsServer } from 'node:tls';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import { DirectClient } from '../../../../src/source/http/direct/client.ts';
import { Authority } from '../../../cluster/pki.ts';
import { eventually } from '../../../support/eventually.ts';

const LENGTH = 6_000_000;
/** No two places within a few megabytes look alike. */
const content = Buffer.alloc(LENGTH);
for (let at = 0; at < LENGTH; at += 4) content.writeUInt32LE((at * 2654435761) >>> 0, at);

const plain = { method: 'GET', headers: {} } as const;

describe('direct http connections', () => {
  const servers: Server[] = [];
  const clients: DirectClient[] = [];

  async function listen(server: Server, scheme = 'http'): Promise<URL> {
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new URL(`${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}/disk.img?version=1`);
  }

  /** Answers each connection's first bytes by what `answer` does. */
  const listenTcp = (answer: (socket: Socket) => void) =>
    listen(
      createTcpServer((socket) => {
        socket.on('error', () => {});
        socket.once('data', () => {
          answer(socket);
        });
      }),
    );

  function client(body = 5000, headers = 5000): DirectClient {
    const made = new DirectClient({
      timeouts: { connect: 5000, headers, body },
      tls: () => Promise.resolve({ rejectUnauthorized: false }),
    });
    clients.push(made);
    return made;
  }

  async function codeOf(promise: Promise<unknown>): Promise<unknown> {
    return promise.then(
      () => undefined,
      (error: unknown) => (error as { code?: unknown }).code,
    );
  }

  async function read(body: AsyncIterable<Buffer>): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for await (const chunk of body) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks);
  }

  afterEach(async () => {
    for (const made of clients.splice(0)) made.close();
    await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
  });

  const whole = (_: IncomingMessage, response: ServerResponse): void => {
    response.writeHead(200, { 'content-length': LENGTH }).end(content);
  };

  it('are made anew where one that was kept brings what is no answer', async () => {
    let connections = 0;
    const url = await listen(
      createTcpServer((socket) => {
        connections += 1;
        const isFirst = connections === 1;
        let requests = 0;
        socket.on('error', () => {});
        socket.on('data', () => {
          requests += 1;
          socket.write(
            isFirst && requests === 2 ? 'more of it\r\n\r\n' : 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
          );
        });
      }),
    );
    const made = client();
    for (let request = 1; request <= 2; request += 1) {
      const { body } = await made.ask(url, plain);
      expect((await read(body)).toString()).to.equal('ok');
    }
    expect(connections).to.equal(2);
  });

  for (const scheme of ['http', 'https']) {
    it(`lend what came over ${scheme}, and leave it alone until the next is asked for`, async () => {
      const { certificate, key } = await (
        await Authority.create('test')
      ).issue({ commonName: 'x', names: ['127.0.0.1'] });
      const server = scheme === 'http' ? createHttpServer(whole) : createHttpsServer({ cert: certificate, key }, whole);
      const { status, headers, body } = await client().ask(await listen(server, scheme), plain);
      expect(status).to.equal(200);
      expect(headers['content-length']).to.equal(`${LENGTH}`);
      let at = 0;
      for await (const chunk of body) {
        // Whoever reads is slower than whoever writes.
        for (let turns = 0; turns < 20; turns += 1) await turn();
        expect(chunk.equals(content.subarray(at, at + chunk.length)), `bytes from ${at}`).to.equal(true);
        at += chunk.length;
      }
      expect(at).to.equal(LENGTH);
    });
  }

  it('are used again, with the path and headers of each request', async () => {
    const seen: unknown[] = [];
    let connections = 0;
    const server = createHttpServer((request, response) => {
      seen.push([request.method, request.url, request.headers['host'], request.headers['x-number']]);
      response.writeHead(200, { 'content-length': 5 }).end('hello');
    }).on('connection', () => (connections += 1));
    const url = await listen(server);
    const direct = client();
    for (const number of ['1', '2']) {
      const { body } = await direct.ask(url, { method: 'GET', headers: { 'x-number': number } });
      expect((await read(body)).toString()).to.equal('hello');
    }
    expect(seen).to.deep.equal([
      ['GET', '/disk.img?version=1', url.host, '1'],
      ['GET', '/disk.img?version=1', url.host, '2'],
    ]);
    expect(connections).to.equal(1);
  });

  it('are made anew where the server has closed the last one at the wrong moment', async () => {
    const url = await listenTcp((socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
      socket.once('data', () => socket.destroy());
    });
    const direct = client();
    for (let round = 0; round < 2; round += 1) {
      expect((await read((await direct.ask(url, plain)).body)).toString()).to.equal('ok');
    }
  });

  it('take bodies in chunks, and those that end with the connection', async () => {
    const chunked = await listen(createHttpServer((_, response) => response.end(content)));
    expect((await read((await client().ask(chunked, plain)).body)).equals(content)).to.equal(true);
    const unbounded = await listenTcp((socket) => socket.end('HTTP/1.0 200 OK\r\n\r\nall there is'));
    expect((await read((await client().ask(unbounded, plain)).body)).toString()).to.equal('all there is');
  });

  it('take answers that come byte by byte, and after interim ones', async () => {
    const url = await listenTcp((socket) => {
      const answer = 'HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
      void (async () => {
        socket.setNoDelay();
        for (const byte of answer) {
          socket.write(byte);
          await turn();
        }
      })();
    });
    const { status, body } = await client().ask(url, plain);
    expect(status).to.equal(200);
    expect((await read(body)).toString()).to.equal('ok');
  });

  it('tell when an answer ends too early, in its head or in its body', async () => {
    const inHead = await listenTcp((socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-le'));
    expect(await codeOf(client().ask(inHead, plain))).to.equal('ECONNRESET');
    for (const head of ['content-length: 9', 'transfer-encoding: chunked']) {
      const inBody = await listenTcp((socket) => socket.end(`HTTP/1.1 200 OK\r\n${head}\r\n\r\n5\r\nhell`));
      expect(await codeOf(read((await client().ask(inBody, plain)).body)), head).to.equal('ECONNRESET');
    }
  });

  it('tell when an answer is none of HTTP', async () => {
    const url = await listenTcp((socket) => socket.write('SSH-2.0-OpenSSH_9.2\r\n'));
    expect(await codeOf(client().ask(url, plain))).to.equal('HPE_INVALID_CONSTANT');
  });

  it('tell a server that speaks HTTP/2 only, in whatever pieces it begins', async () => {
    const http2 = await listen(createHttp2Server());
    expect(await codeOf(client().ask(http2, plain))).to.equal('HTTP2_ONLY');
    const bytewise = await listenTcp((socket) => {
      void (async () => {
        for (const byte of [0, 0, 6, 4, 0, 0, 0, 0, 0]) {
          socket.write(Buffer.of(byte));
          await turn();
        }
      })();
    });
    expect(await codeOf(client().ask(bytewise, plain))).to.equal('HTTP2_ONLY');
    const { certificate, key } = await (
      await Authority.create('test')
    ).issue({ commonName: 'x', names: ['127.0.0.1'] });
    const secure = await listen(createSecureHttp2Server({ cert: certificate, key }), 'https');
    expect(await codeOf(client().ask(secure, plain))).to.equal('ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL');
  });

  for (const [agreesTo, code] of [
    ['h2', 'HTTP2_ONLY'],
    ['', 'ECONNRESET'],
  ] as const) {
    it(`tell by what it agrees to why a server closes connections without a word (${agreesTo || 'nothing'})`, async () => {
      const { certificate, key } = await (
        await Authority.create('test')
      ).issue({ commonName: 'x', names: ['127.0.0.1'] });
      const silent = createTlsServer({ cert: certificate, key }, (socket) => {
        socket.on('error', () => {});
        socket.once('data', () => socket.end());
      });
      const agreeing = createSecureHttp2Server({ cert: certificate, key });
      let connections = 0;
      const url = await listen(
        createTcpServer((socket) => {
          connections += 1;
          // As nghttpd does: no protocol is agreed to where http/1.1 is offered, and no alert is sent.
          (connections === 2 && agreesTo === 'h2' ? agreeing : silent).emit('connection', socket);
        }),
        'https',
      );
      expect(await codeOf(client().ask(url, plain))).to.equal(code);
      expect(connections).to.equal(2);
    });
  }

  it('tell at once what the head or the body of an answer has that it may not have', async () => {
    const heads: [head: string, code: string][] = [
      ['HTTP/1.1 200 OK\n\n', 'HPE_CR_EXPECTED'],
      ['HTTP/1.1 200 OK\r\nspaced name: x\r\n\r\n', 'HPE_INVALID_HEADER_TOKEN'],
      ['HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n', 'HPE_INVALID_CONTENT_LENGTH'],
      ['HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n', 'HPE_UNEXPECTED_CONTENT_LENGTH'],
      ['HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n', 'HPE_INVALID_CHUNK_SIZE'],
    ];
    for (const [head, code] of heads) {
      const url = await listenTcp((socket) => socket.write(head));
      const asking = client()
        .ask(url, plain)
        .then(({ body }) => read(body));
      expect(await codeOf(asking), head).to.equal(code);
    }
  });

  it('take heads of 60 KiB, in long fields and in many', async () => {
    for (const fields of [
      Array.from({ length: 60 }, (_, index) => `x-${index}: ${'x'.repeat(1000)}\r\n`),
      Array.from({ length: 1900 }, (_, index) => `x-${index}: ${'x'.repeat(20)}\r\n`),
    ]) {
      const url = await listenTcp((socket) => {
        socket.write(`HTTP/1.1 200 OK\r\n${fields.join('')}content-length: 2\r\n\r\nok`);
      });
      const { headers, body } = await client().ask(url, plain);
      expect(Object.keys(headers)).to.have.length(fields.length + 1);
      expect((await read(body)).toString()).to.equal('ok');
    }
  });

  it('take ten interim answers, and no endless number', async () => {
    const interim = 'HTTP/1.1 102 Processing\r\n\r\n';
    const some = await listenTcp((socket) => {
      socket.write(`${interim.repeat(10)}HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok`);
    });
    expect((await read((await client().ask(some, plain)).body)).toString()).to.equal('ok');
    const endless = await listenTcp((socket) => {
      const timer = setInterval(() => socket.write(interim.repeat(1000)), 1);
      socket.once('close', () => clearInterval(timer));
    });
    expect(await codeOf(client().ask(endless, plain))).to.equal('ENDLESS_INTERIM');
  });

  it('wait once for all of a head, however it comes', async () => {
    const drips: [head: string, drop: string][] = [
      ['HTTP/1.1 200 OK\r\nx: ', 'x'],
      ['', 'HTTP/1.1 102 Processing\r\n\r\n'],
    ];
    for (const [head, drop] of drips) {
      const url = await listenTcp((socket) => {
        socket.write(head);
        const timer = setInterval(() => socket.write(drop), 50);
        socket.once('close', () => clearInterval(timer));
      });
      const started = performance.now();
      expect(await codeOf(client(5000, 300).ask(url, plain)), head).to.equal('STALLED');
      expect(performance.now() - started).to.be.below(4000);
    }
  });

  it('do not wait for an answer after empty lines, or after one of another protocol', async () => {
    const empty = await listenTcp((socket) => socket.write('\r\n\r\n'));
    expect(await codeOf(client().ask(empty, plain))).to.equal('HPE_INVALID_CONSTANT');
    const switched = await listenTcp((socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n');
    });
    expect(await codeOf(client().ask(switched, plain))).to.equal('ECONNRESET');
  });

  it('refuse a head without end', async () => {
    for (const field of ['x'.repeat(150_000), `${'x'.repeat(70_000)}\r\n\r\n`]) {
      const url = await listenTcp((socket) => socket.write(`HTTP/1.1 200 OK\r\nx: ${field}`));
      expect(await codeOf(client().ask(url, plain))).to.equal('HPE_HEADER_OVERFLOW');
    }
    const fields = await listenTcp((socket) => socket.write(`HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(30_000)}`));
    expect(await codeOf(client().ask(fields, plain))).to.equal('HPE_HEADER_OVERFLOW');
  });

  it('stop waiting for an answer when they are closed', async () => {
    const waiting = client();
    const url = await listenTcp(() => {
      waiting.close();
    });
    expect(await codeOf(waiting.ask(url, plain))).to.equal('ECONNRESET');
  });

  it('send what is posted, over a connection that nothing else went over', async () => {
    const seen: string[] = [];
    let connections = 0;
    const server = createHttpServer((request, response) => {
      request.setEncoding('utf8').on('data', (text: string) => seen.push(`${request.method} ${text}`));
      request.on('end', () => response.writeHead(200, { 'content-length': 2 }).end('ok'));
    }).on('connection', () => (connections += 1));
    const url = await listen(server);
    const direct = client();
    await (await direct.ask(url, plain)).body.dump();
    const { body } = await direct.ask(url, { method: 'POST', headers: {}, body: 'grant=x' });
    expect((await read(body)).toString()).to.equal('ok');
    expect(seen).to.deep.equal(['POST grant=x']);
    expect(connections).to.equal(2);
  });

  it('tell when a body stalls', async () => {
    for (const head of ['content-length: 9', 'transfer-encoding: chunked']) {
      const url = await listenTcp((socket) => socket.write(`HTTP/1.1 200 OK\r\n${head}\r\n\r\n5\r\nhell`));
      expect(await codeOf(read((await client(50).ask(url, plain)).body)), head).to.equal('STALLED');
    }
  });

  it('give their memory back when they are closed, be it a hundred of them', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const url = await listenTcp((socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhell'));
    const direct = client();
    const kept = async (): Promise<number> => {
      await turn();
      collect();
      return process.memoryUsage().arrayBuffers;
    };
    const before = await kept();
    for (let round = 0; round < 100; round += 1) await codeOf(direct.ask(url, plain).then(({ body }) => read(body)));
    // Each has 2 MiB.
    await eventually('memory to be free', async () => (await kept()) - before < 20 * 2 ** 20, 5000);
  });

  it('pass over short bodies, and close the connection instead of reading long ones', async () => {
    let connections = 0;
    const server = createHttpServer(whole).on('connection', () => (connections += 1));
    const url = await listen(server);
    const direct = client();
    await (await direct.ask(url, plain)).body.dump({ limit: LENGTH });
    await (await direct.ask(url, plain)).body.dump({ limit: 1000 });
    expect(connections).to.equal(1);
    await (await direct.ask(url, plain)).body.dump();
    expect(connections).to.equal(2);
  });
});
