import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { expect } from 'chai';
import { HttpClient, type HttpClientOptions } from '../../../../src/source/http/client.ts';
import { HttpServers, repeat } from './http-servers.ts';

const failureOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('HttpClient', () => {
  const servers = new HttpServers();
  const clients: HttpClient[] = [];
  const createClient = (options: HttpClientOptions = {}): HttpClient => {
    const client = new HttpClient(options);
    clients.push(client);
    return client;
  };

  afterEach(async () => {
    for (const client of clients.splice(0)) await client.close();
    await servers.close();
  });

  const outside = { url: new URL('https://outside.example/disk?signature=hidden'), network: 'public' } as const;

  describe('that an answer has led to a URL', () => {
    it('refuses what is further inside, as an address and as a name, before it connects', async () => {
      let connections = 0;
      const url = await servers.tcp(() => (connections += 1));
      for (const hostname of ['127.0.0.1', 'localhost', '[::ffff:7f00:1]']) {
        const target = new URL(url);
        target.hostname = hostname;
        target.search = 'token=secret';
        const failure = await failureOf(createClient().request(target, { referrer: outside }));
        expect(failure, hostname).to.include({ code: 'RedirectRefused', permanent: true });
        expect(failure)
          .to.have.property('message')
          .that.includes(
            `https://outside.example/disk, at a public address, leads to ${target.host}, at a loopback one`,
          )
          .and.includes('ImportFollowsInternalRedirects')
          .and.not.match(/hidden|secret/);
      }
      expect(connections).to.equal(0);
    });

    it('does not take a connection for it that was made before, for the user', async () => {
      const url = await servers.http((_, response) => response.end('ok'));
      const client = createClient();
      await (await client.request(url, {})).body.dump();
      expect(await failureOf(client.request(url, { referrer: outside }))).to.include({ code: 'RedirectRefused' });
    });

    it('follows where that is allowed', async () => {
      const url = await servers.http((_, response) => response.end('ok'));
      const client = createClient({ followsInternalRedirects: true });
      expect(await client.request(url, { referrer: outside })).to.include({ status: 200, network: 'loopback' });
    });
  });

  it('refuses redirects from loopback to link-local addresses, and follows those within', async () => {
    const target = await servers.http((_, response) => response.end('ok'));
    const within = await servers.http((_, response) => response.writeHead(302, { location: target.href }).end());
    expect(await createClient().request(within, {})).to.include({ status: 200 });
    const further = await servers.http((_, response) =>
      response.writeHead(302, { location: 'http://169.254.169.254/latest' }).end(),
    );
    expect(await failureOf(createClient().request(further, {}))).to.include({ code: 'RedirectRefused' });
  });

  it('tells what is confidential to the first origin, and no more once it has been led away from it', async () => {
    const seen: IncomingHttpHeaders[] = [];
    const other = await servers.http((request, response) => {
      seen.push(request.headers);
      response.writeHead(302, { location: new URL('back', first).href }).end();
    });
    const first = await servers.http((request, response) => {
      seen.push(request.headers);
      if (request.url === '/back') return void response.end('ok');
      response.writeHead(302, { location: request.url === '/' ? '/again' : other.href }).end();
    });
    const confidentialHeaders = { 'x-api-key': 'k', range: 'bytes=7-' };
    const headers = { range: 'bytes=0-' };
    expect(await createClient().request(first, { headers, confidentialHeaders })).to.include({ status: 200 });
    expect(seen.map((sent) => sent['x-api-key'])).to.deep.equal(['k', 'k', undefined, undefined]);
    expect(new Set(seen.map(({ range }) => range))).to.deep.equal(new Set(['bytes=0-']));
  });

  describe('that is asked again where redirects have led', () => {
    const confidentialHeaders = { 'x-api-key': 'k', authorization: 'Basic x' };

    it('tells nothing confidential that was not told there before', async () => {
      const told: [path: string, isTold: boolean][] = [];
      const note = ({ url, headers }: IncomingMessage): void => {
        told.push([url ?? '', headers['x-api-key'] !== undefined || headers.authorization !== undefined]);
      };
      const other = await servers.http((request, response) => {
        note(request);
        if (request.url === '/back') response.writeHead(302, { location: new URL('end', first).href }).end();
        else response.end('ok');
      });
      const first = await servers.http((request, response) => {
        note(request);
        const ways: Record<string, string> = {
          '/own': '/end',
          '/other': new URL('end', other).href,
          '/back': new URL('back', other).href,
        };
        const location = ways[request.url ?? ''];
        if (location === undefined) response.end('ok');
        else response.writeHead(302, { location }).end();
      });
      const client = createClient();
      for (const [way, isTold] of [
        ['own', true],
        ['other', false],
        ['back', false],
      ] as const) {
        const url = new URL(way, first);
        const answer = await client.request(url, { confidentialHeaders });
        await answer.body.dump();
        told.length = 0;
        const again = await client.request(url, { confidentialHeaders, place: answer.place });
        await again.body.dump();
        expect(told, way).to.deep.equal([['/end', isTold]]);
        expect(again.url.href).to.equal(answer.url.href);
        expect(again.place).to.deep.equal(answer.place);
      }
      expect((await client.request(new URL('end', first), {})).place).to.equal(undefined);
    });

    it('is led no further inside than by the redirect, whatever its name means now', async () => {
      const url = await servers.http((_, response) => response.end('ok'));
      const led = new URL(url);
      led.hostname = 'localhost';
      const client = createClient();
      // The user's own connection to the same place is none for it.
      await (await client.request(led, {})).body.dump();
      const place = { url: led, referrer: outside, isAtFirstOrigin: false };
      const failure = await failureOf(client.request(new URL('https://outside.example/disk'), { place }));
      expect(failure).to.include({ code: 'RedirectRefused', permanent: true });
    });
  });

  it('follows ten redirects, to URLs of a sensible length', async () => {
    let requests = 0;
    const loop = await servers.http((_, response) => {
      requests += 1;
      response.writeHead(302, { location: '/' }).end();
    });
    expect(await failureOf(createClient().request(loop, {}))).to.include({ code: 'TooManyRedirects', permanent: true });
    expect(requests).to.equal(11);
    for (const location of [`/${'x'.repeat(9000)}`, `http://${'x'.repeat(300)}/`, 'file:///etc/hostname', 'http://']) {
      const url = await servers.http((_, response) => response.writeHead(302, { location }).end());
      const failure = await failureOf(createClient().request(url, {}));
      expect(failure).to.include({ code: 'ProtocolViolation' });
      expect(failure).to.have.property('message').that.has.length.below(200);
    }
  });

  it('accepts any certificate of the hosts that are named, and of no others', async () => {
    const url = await servers.https((_, response) => response.end('ok'));
    const other = await servers.https((_, response) => response.end('ok'));
    const client = createClient({ insecureHosts: [url.host] });
    expect(await client.request(url, {})).to.include({ status: 200 });
    expect(await failureOf(client.request(other, {}))).to.include({ code: 'CertificateUntrusted' });
  });

  describe('of a body that comes too slowly', () => {
    const lowestRate = { bytes: 1000, within: 150 };
    const read = async (url: URL, client = createClient({ lowestRate })): Promise<number> => {
      let length = 0;
      for await (const chunk of (await client.request(url, {})).body) length += chunk.length;
      return length;
    };
    const bodies: [kind: string, head: string, piece: string][] = [
      ['of known length', 'content-length: 1000000', 'x'],
      ['in chunks', 'transfer-encoding: chunked', '1\r\nx\r\n'],
      ['whose first chunk never begins', 'transfer-encoding: chunked', '0'.repeat(10_000)],
      ['that ends with its connection', 'connection: close', 'x'],
    ];
    for (const [kind, head, piece] of bodies) {
      it(`gives up ${kind}`, async () => {
        const url = await servers.tcp((socket) => {
          socket.write(`HTTP/1.1 200 OK\r\n${head}\r\n\r\n`);
          repeat(socket, piece, 10);
        });
        const failure = await failureOf(read(url));
        expect(failure).to.include({ code: 'TOO_SLOW' });
      });
    }

    it('counts what several bodies bring, and waits for them once', async () => {
      const url = await servers.tcp((socket) => {
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 30\r\n\r\n');
        // One after the other they would be too slow.
        repeat(socket, 'x'.repeat(10), 300);
      });
      const client = createClient({ lowestRate: { bytes: 300, within: 6000 } });
      const lengths = await Promise.all(Array.from({ length: 20 }, () => read(url, client)));
      expect(lengths).to.deep.equal(Array.from({ length: 20 }, () => 30));
    });

    it('gives up many small ones', async () => {
      const url = await servers.http((_, response) => {
        response.writeHead(200, { 'content-length': 2 }).write('x');
        setTimeout(() => response.end('y'), 40);
      });
      const client = createClient({ lowestRate });
      const reading = async (): Promise<void> => {
        for (;;) await read(url, client);
      };
      expect(await failureOf(reading())).to.include({ code: 'TOO_SLOW' });
    });

    it('does not blame a server for who is slow to take it', async () => {
      const url = await servers.http((_, response) => response.end(Buffer.alloc(4_000_000)));
      const { body } = await createClient({ lowestRate: { bytes: 8_000_000, within: 3000 } }).request(url, {});
      let length = 0;
      const started = performance.now();
      for await (const chunk of body) {
        length += chunk.length;
        if (performance.now() - started < 3200) await new Promise((resolve) => setTimeout(resolve, 3200));
      }
      expect(length).to.equal(4_000_000);
    });
  });

  it('passes over the rest of an answer within limits', async () => {
    const url = await servers.tcp((socket) => {
      socket.write('HTTP/1.1 404 Not Found\r\ncontent-length: 60000\r\n\r\n');
      repeat(socket, 'x', 10);
    });
    const { body } = await createClient().request(url, {});
    const started = performance.now();
    await body.dump();
    expect(performance.now() - started).to.be.within(1000, 30_000);
  });
});
