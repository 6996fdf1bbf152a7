import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect, createServer } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { expect } from 'chai';
import { type PersistentVolumeClaim, persistentVolumeClaims } from '../../../src/kube/builtin-resources.ts';
import { keyOf } from '../../../src/kube/key.ts';
import { UploadProxy } from '../../../src/services/uploadproxy/upload-proxy.ts';
import { kubernetesIsBuilt } from '../../support/api-server.ts';
import { eventually } from '../../support/eventually.ts';
import { silentLogger } from '../../support/logger.ts';
import { freePorts } from '../../support/ports.ts';
import { digestOf, type Handler, INSTALLATION, Rig, type StandIn, TEAM } from './rig.ts';

const MEBIBYTE = 1024 * 1024;

async function* repeated(chunk: Buffer, times: number, pause?: () => Promise<unknown>): AsyncGenerator<Buffer> {
  for (let index = 0; index < times; index++) {
    yield chunk;
    if (pause && index === times / 2) await pause();
  }
}

describe('the upload proxy', function () {
  this.timeout(120_000);
  let rig: Rig;
  let serverPort: number;
  const standIns: StandIn[] = [];

  before(kubernetesIsBuilt);
  before(async () => {
    rig = await Rig.start();
    [serverPort] = (await freePorts(1)) as [number];
  });
  after(async () => rig?.stop());
  afterEach(async () => {
    await Promise.all(standIns.splice(0).map((standIn) => standIn.kill().catch(() => undefined)));
  });

  interface Running {
    readonly proxy: UploadProxy;
    readonly port: number;
    /** Stops it, and resolves when it has ended. */
    stop(): Promise<void>;
  }

  async function startProxy(): Promise<Running> {
    const proxy = new UploadProxy({
      kubeConfig: rig.proxyAccess,
      namespace: INSTALLATION,
      logger: silentLogger(),
      host: '127.0.0.1',
      port: 0,
      metricsPort: 0,
      uploadServerPort: serverPort,
      unreadyFor: 100,
    });
    const stopping = new AbortController();
    const running = proxy.run(stopping.signal);
    await eventually('it listens', () => proxy.port);
    return {
      proxy,
      port: proxy.port ?? 0,
      stop: async () => {
        stopping.abort();
        await running;
      },
    };
  }

  async function readiness({ metricsPort }: UploadProxy): Promise<{ status: number; text: string }> {
    const response = await fetch(`http://127.0.0.1:${metricsPort}/readyz`);
    return { status: response.status, text: await response.text() };
  }

  /** Starts the upload server of a claim, with its Service. */
  async function startServer(claim: PersistentVolumeClaim, handler: Handler, writtenName?: string): Promise<StandIn> {
    const name = writtenName ?? claim.metadata?.name ?? '';
    const standIn = await rig.startServer(name, await rig.createService(name), serverPort, handler);
    standIns.push(standIn);
    return standIn;
  }

  const digestHandler: Handler = (request, response) => {
    if (request.method === 'HEAD') response.writeHead(200, { 'x-diskpress-received': '7' }).end();
    else void digestOf(request).then((digest) => response.writeHead(200, { 'content-type': 'text/plain' }).end(digest));
  };

  it('is not ready before it has keys, and is at once when they are there', async () => {
    const running = await startProxy();
    try {
      const { status, text } = await readiness(running.proxy);
      expect(status).to.equal(503);
      expect(text).to.contain('cdi-uploadproxy-token-keys');
      await rig.createKeys();
      await eventually('it is ready', async () => (await readiness(running.proxy)).status === 200);
      expect(await rig.send(running.port, 'GET', '/healthz')).to.include({ status: 200, text: 'OK' });
    } finally {
      await running.stop();
    }
  });

  describe('with its keys', () => {
    let running: Running;
    let port: number;

    before(async () => {
      await rig.createKeys();
      running = await startProxy();
      ({ port } = running);
      await eventually('it is ready', async () => (await readiness(running.proxy)).status === 200);
    });
    after(async () => running?.stop());

    it('passes an image on, by every path, version and method', async () => {
      const paths = [
        'upload',
        'upload-async',
        'upload-form',
        'upload-form-async',
        'upload-archive',
        'upload-archive-async',
      ];
      const claim = await rig.createClaim();
      const seen: IncomingMessage[] = [];
      await startServer(claim, (request, response) => {
        seen.push(request);
        digestHandler(request, response);
      });
      const token = await rig.token(claim);
      const body = randomBytes(3 * MEBIBYTE + 7);
      const digest = createHash('sha256').update(body).digest('hex');
      for (const version of ['v1beta1', 'v1alpha1']) {
        for (const path of paths) {
          for (const method of ['POST', 'PUT'] as const) {
            const expected = { 'content-type': 'application/octet-stream', 'x-diskpress-sha256': digest };
            const headers = { ...expected, 'x-other': 'a' };
            const answer = await rig.send(port, method, `/${version}/${path}`, { token, body, headers });
            expect(answer).to.include({ status: 200, text: digest });
            expect(answer.headers['access-control-allow-origin']).to.equal('*');
            const received = seen.at(-1);
            expect(received).to.include({ method, url: `/v1beta1/${path}` });
            expect(received?.headers).to.include({
              'content-length': String(body.length),
              ...expected,
            });
            expect(received?.headers).to.not.have.property('x-other');
            expect(received?.headers).to.not.have.property('authorization');
          }
        }
      }
    });

    it('passes an image of unknown length on', async () => {
      const claim = await rig.createClaim();
      await startServer(claim, digestHandler);
      const chunk = randomBytes(MEBIBYTE);
      const answer = await rig.send(port, 'POST', '/v1beta1/upload', {
        token: await rig.token(claim),
        body: repeated(chunk, 20),
      });
      const digest = createHash('sha256');
      for (let index = 0; index < 20; index++) digest.update(chunk);
      expect(answer).to.include({ status: 200, text: digest.digest('hex') });
    });

    it('writes to the working claim of one that is populated', async () => {
      const claim = await rig.createClaim(
        {},
        { dataSourceRef: { apiGroup: 'cdi.kubevirt.io', kind: 'VolumeUploadSource', name: 'source' } },
      );
      await startServer(claim, digestHandler, `prime-${claim.metadata?.uid}`);
      const token = await rig.token(claim);
      expect(await rig.send(port, 'POST', '/v1beta1/upload', { token, body: Buffer.from('x') })).to.include({
        status: 200,
      });
    });

    it('says what has been received', async () => {
      const claim = await rig.createClaim();
      await startServer(claim, digestHandler);
      const token = await rig.token(claim);
      const { status, headers } = await rig.send(port, 'HEAD', '/v1beta1/upload-async', { token });
      expect(status).to.equal(200);
      expect(headers['x-diskpress-received']).to.equal('7');
      expect(headers['access-control-expose-headers']).to.contain('x-diskpress-received');
    });

    it('lets pages of browsers upload', async () => {
      const { status, headers, text } = await rig.send(port, 'OPTIONS', '/v1beta1/upload', {
        headers: {
          origin: 'https://page.example',
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'authorization,x-diskpress-sha256',
        },
      });
      expect({ status, text }).to.deep.equal({ status: 204, text: '' });
      expect(headers['access-control-allow-origin']).to.equal('*');
      expect(headers['access-control-allow-methods']).to.contain('POST').and.contain('PUT').and.contain('HEAD');
      expect(headers['access-control-allow-headers']).to.contain('authorization').and.contain('*');
    });

    it('refuses with a sentence', async () => {
      const claim = await rig.createClaim();
      const unrelated = await rig.createClaim({});
      const done = await rig.createClaim({
        'cdi.kubevirt.io/storage.upload.target': '',
        'cdi.kubevirt.io/storage.pod.phase': 'Succeeded',
      });
      const gone: PersistentVolumeClaim = { metadata: { namespace: TEAM, name: 'gone', uid: 'gone' } };
      const other: PersistentVolumeClaim = { metadata: { ...claim.metadata, uid: 'other' } };
      const cases: [number, string, Parameters<Rig['send']>[3]][] = [
        [401, 'no upload token', {}],
        [401, 'not valid', { token: 'abc' }],
        [401, 'has expired', { token: await rig.token(claim, -60) }],
        [403, 'earlier claim', { token: await rig.token(other) }],
        [404, 'does not exist', { token: await rig.token(gone) }],
        [400, 'takes no upload', { token: await rig.token(unrelated) }],
        [409, 'already has its upload', { token: await rig.token(done) }],
      ];
      for (const [status, words, options] of cases) {
        const answer = await rig.send(port, 'POST', '/v1beta1/upload', { ...options, body: randomBytes(3 * MEBIBYTE) });
        expect(answer.status, words).to.equal(status);
        expect(answer.text)
          .to.contain(words)
          .and.match(/^[A-Z][^\n]*\.\n$/);
        expect(answer.headers['content-type']).to.match(/^text\/plain/);
        expect(answer.headers['access-control-allow-origin']).to.equal('*');
      }
      expect((await rig.send(port, 'POST', '/v1/upload')).status).to.equal(404);
      expect((await rig.send(port, 'DELETE', '/v1beta1/upload')).status).to.equal(405);
    });

    it('refuses tokens of a key that was replaced', async () => {
      const claim = await rig.createClaim();
      await startServer(claim, digestHandler);
      const old = await rig.token(claim);
      await rig.replaceSigningKey();
      const head = async (token: string) => (await rig.send(port, 'HEAD', '/v1beta1/upload', { token })).status;
      await eventually('the new key is in use', async () => (await head(await rig.token(claim))) === 200);
      expect(await head(old)).to.equal(401);
    });

    it('shows a new certificate to new connections', async () => {
      const other = await rig.renewServerCertificate();
      try {
        await eventually('the new certificate is in use', async () => {
          const socket = connectTls({ port, host: '127.0.0.1', servername: 'localhost', ca: other.certificate });
          try {
            await once(socket, 'secureConnect');
            return true;
          } finally {
            socket.destroy();
          }
        });
      } finally {
        await rig.createKeys();
      }
    });

    /** Opens a request whose body the test sends by hand. */
    async function open(claim: PersistentVolumeClaim, headers: Record<string, string> = {}): Promise<ClientRequest> {
      const opened = httpsRequest({
        host: '127.0.0.1',
        port,
        servername: 'localhost',
        ca: rig.authority.certificate,
        method: 'POST',
        path: '/v1beta1/upload',
        headers: { authorization: `Bearer ${await rig.token(claim)}`, 'content-length': 64 * MEBIBYTE, ...headers },
        agent: false,
      });
      opened.on('error', () => undefined);
      opened.flushHeaders();
      return opened;
    }

    async function answerTo(opened: ClientRequest): Promise<{ status: number; text: string }> {
      const [response] = (await once(opened, 'response')) as [IncomingMessage];
      const chunks = await response.toArray();
      return { status: response.statusCode ?? 0, text: Buffer.concat(chunks as Buffer[]).toString() };
    }

    it('holds an image until the upload server is there, and tells who waits for that', async () => {
      const claim = await rig.createClaim();
      const opened = await open(claim, { expect: '100-continue', 'content-length': '5' });
      let isContinued = false;
      opened.once('continue', () => (isContinued = true));
      await eventually('it is held', async () => (await metric(running.proxy)) === 1);
      expect(isContinued).to.equal(false);
      const name = claim.metadata?.name ?? '';
      const address = await rig.createService(name);
      await eventually('something asks for the server', () => knocked(address, serverPort));
      expect(isContinued).to.equal(false);
      const answer = answerTo(opened);
      standIns.push(await rig.startServer(name, address, serverPort, digestHandler));
      await once(opened, 'continue');
      opened.end('hello');
      expect(await answer).to.deep.equal({ status: 200, text: createHash('sha256').update('hello').digest('hex') });
    });

    it('holds no image for a claim whose upload ends otherwise', async () => {
      const claim = await rig.createClaim();
      const opened = await open(claim);
      await eventually('it is held', async () => (await metric(running.proxy)) === 1);
      await rig.client.delete(persistentVolumeClaims, keyOf(claim));
      // There is no controller that would take the finalizer away.
      await rig.client
        .mergePatch(persistentVolumeClaims, keyOf(claim), { metadata: { finalizers: null } })
        .catch(() => undefined);
      expect(await answerTo(opened)).to.include({ status: 404 });
    });

    it('forgets an image whose client breaks off while it is sent', async () => {
      const claim = await rig.createClaim();
      const broken = Promise.withResolvers<void>();
      await startServer(claim, (request) => {
        request.on('error', () => undefined).resume();
        request.once('close', () => broken.resolve());
      });
      const opened = await open(claim);
      opened.write(randomBytes(MEBIBYTE));
      await eventually('it is under way', async () => (await metric(running.proxy)) === 1);
      opened.destroy();
      await broken.promise;
      await eventually('it is forgotten', async () => (await metric(running.proxy)) === 0);
    });

    it('passes an answer on while the client still sends', async () => {
      const claim = await rig.createClaim();
      await startServer(claim, (request, response) => {
        request.once('data', () => {
          response.writeHead(400, { 'content-type': 'text/plain' });
          response.end('the image is damaged\n');
        });
        request.on('error', () => undefined);
      });
      const opened = await open(claim);
      opened.write(randomBytes(MEBIBYTE));
      expect(await answerTo(opened)).to.deep.equal({ status: 400, text: 'the image is damaged\n' });
    });

    for (const [what, raw, status] of [
      ['switches protocols', 'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n', 503],
      ['does not speak HTTP', 'gibberish\r\n\r\n', 503],
      ['breaks off its answer', 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\npart', 503],
      ['answers with a status that is none', 'HTTP/1.1 000 None\r\ncontent-length: 0\r\n\r\n', 503],
      ['answers without end', `HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(128 * 1024)}`, 503],
      ['announces answers without end', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(10_000), 503],
      [
        'answers twice, with headers of its own',
        'HTTP/1.1 200 OK\r\nset-cookie: a=b\r\ncontent-length: 2\r\n\r\nOKHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n',
        200,
      ],
    ] as const)
      it(`goes on for others where somebody’s server ${what}`, async () => {
        const claim = await rig.createClaim();
        await startServer(claim, ({ socket }) => {
          socket.on('error', () => undefined);
          socket.end(raw);
        });
        const opened = await open(claim, { 'content-length': '5' });
        opened.end('hello');
        const [response] = (await once(opened, 'response')) as [IncomingMessage];
        response.resume();
        expect(response.statusCode).to.equal(status);
        expect(response.headers).not.to.have.property('set-cookie');
        await eventually('it is forgotten', async () => (await metric(running.proxy)) === 0);
        expect((await readiness(running.proxy)).status).to.equal(200);
      });

    it('takes no body with a question', async () => {
      const claim = await rig.createClaim();
      await startServer(claim, digestHandler);
      const socket = connectTls({
        host: '127.0.0.1',
        port: running.port,
        servername: 'localhost',
        ca: rig.authority.certificate,
      });
      const token = await rig.token(claim);
      socket.write(
        `HEAD /v1beta1/upload HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\ncontent-length: 5\r\n\r\nhello`,
      );
      const [answer] = (await once(socket, 'data')) as [Buffer];
      socket.destroy();
      expect(answer.toString())
        .to.match(/^HTTP\/1.1 200 /)
        .and.include('x-diskpress-received: 7');
    });

    it('answers a client that never stops sending, and closes', async () => {
      const claim = await rig.createClaim();
      await startServer(claim, (request, response) => {
        request.once('data', () => response.writeHead(400).end('no'));
        request.on('error', () => undefined);
      });
      const sent = await rig.send(port, 'POST', '/v1beta1/upload', {
        token: await rig.token(claim),
        body: repeated(randomBytes(MEBIBYTE), 256),
      });
      expect(sent).to.include({ status: 400, text: 'no' });
    });

    it('says when the upload server is killed in the middle, and takes the image again', async () => {
      const claim = await rig.createClaim();
      const name = claim.metadata?.name ?? '';
      const address = await rig.createService(name);
      const reading = Promise.withResolvers<void>();
      const first = await rig.startServer(name, address, serverPort, (request) => {
        request.on('error', () => undefined).on('data', () => reading.resolve());
      });
      const opened = await open(claim);
      opened.write(randomBytes(MEBIBYTE));
      await reading.promise;
      const answer = answerTo(opened);
      await first.kill();
      const { status, text } = await answer;
      expect(status).to.equal(503);
      expect(text).to.contain('broke in the middle of the upload').and.contain('send the image again');
      const again = rig.send(port, 'POST', '/v1beta1/upload', {
        token: await rig.token(claim),
        body: Buffer.from('x'),
      });
      await eventually('it is held', async () => (await metric(running.proxy)) === 1);
      standIns.push(await rig.startServer(name, address, serverPort, digestHandler));
      expect(await again).to.include({ status: 200 });
    });

    /** Sends an image to a server that reads the beginning of it and no more. */
    async function sendToStalled(claim: PersistentVolumeClaim) {
      const reading = Promise.withResolvers<void>();
      const standIn = await startServer(claim, (request) => {
        request
          .on('error', () => undefined)
          .once('data', () => {
            request.pause();
            reading.resolve();
          });
      });
      const sending = rig.send(port, 'POST', '/v1beta1/upload', {
        token: await rig.token(claim),
        body: repeated(randomBytes(MEBIBYTE), 64),
      });
      await reading.promise;
      return { standIn, sending };
    }

    it('notices an upload server that is gone without a word', async () => {
      const claim = await rig.createClaim();
      const { standIn, sending } = await sendToStalled(claim);
      standIn.vanish();
      const started = performance.now();
      const { status, text } = await sending;
      expect(status).to.equal(503);
      expect(text).to.contain('is not there any more');
      expect(performance.now() - started).to.be.below(20_000);
    });

    it('notices that another upload server has taken the place of one that does not read', async () => {
      const claim = await rig.createClaim();
      const { sending } = await sendToStalled(claim);
      const annotations = { 'cdi.kubevirt.io/storage.pod.restarts': '1' };
      await rig.client.mergePatch(persistentVolumeClaims, keyOf(claim), { metadata: { annotations } });
      expect((await sending).status).to.equal(503);
    });

    it('lets an upload server take its time', async () => {
      const claim = await rig.createClaim();
      const resume = Promise.withResolvers<void>();
      await startServer(claim, (request, response) => {
        void resume.promise.then(() => digestHandler(request, response));
      });
      const sending = rig.send(port, 'POST', '/v1beta1/upload', {
        token: await rig.token(claim),
        body: repeated(randomBytes(MEBIBYTE), 64),
      });
      // Longer than it takes to find out that a server is gone.
      setTimeout(() => resume.resolve(), 12_000);
      expect(await sending).to.include({ status: 200 });
    });

    it('refuses what is no request, and heads that are too large', async () => {
      const send = async (text: string): Promise<string> => {
        const socket = connectTls({ port, host: '127.0.0.1', servername: 'localhost', ca: rig.authority.certificate });
        socket.write(text);
        const chunks = await socket.toArray();
        return Buffer.concat(chunks as Buffer[]).toString();
      };
      expect(await send('nonsense\r\n\r\n')).to.match(/^HTTP\/1.1 400 [^]*\n\r\n[A-Z].*\.\n$/);
      const large = `POST /v1beta1/upload HTTP/1.1\r\nhost: a\r\nx: ${'a'.repeat(20_000)}\r\n\r\n`;
      expect(await send(large)).to.match(/^HTTP\/1.1 431 [^]*\n\r\n[A-Z].*\.\n$/);
    });
  });

  it('lets uploads end when it is told to stop, and takes no more', async () => {
    await rig.createKeys();
    const running = await startProxy();
    await eventually('it is ready', async () => (await readiness(running.proxy)).status === 200);
    const claim = await rig.createClaim();
    await startServer(claim, digestHandler);
    const waiting = await rig.createClaim();
    const token = await rig.token(claim);
    const goOn = Promise.withResolvers<void>();
    const sending = rig.send(running.port, 'POST', '/v1beta1/upload', {
      token,
      body: repeated(randomBytes(MEBIBYTE), 8, () => goOn.promise),
    });
    const held = rig.send(running.port, 'POST', '/v1beta1/upload', {
      token: await rig.token(waiting),
      body: Buffer.from('x'),
    });
    await eventually('both are under way', async () => (await metric(running.proxy)) === 2);
    const stopped = running.stop();
    await eventually('it is not ready', async () => (await readiness(running.proxy)).status === 503);
    const refused = await held;
    expect(refused.status).to.equal(503);
    expect(refused.text).to.contain('about to end');
    await eventually('it takes no connections', () => refuses(running.port));
    goOn.resolve();
    expect(await sending).to.include({ status: 200 });
    await stopped;
  });

  /** Uploads that are under way, as the metrics tell. */
  async function metric({ metricsPort }: UploadProxy): Promise<number> {
    const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
    return Number(/^diskpress_upload_proxy_uploads (\d+)$/m.exec(text)?.[1]);
  }

  async function refuses(port: number): Promise<boolean> {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return false;
    } catch {
      return true;
    } finally {
      socket.destroy();
    }
  }

  /** Whether somebody connects to an address, where nobody listens otherwise. */
  async function knocked(host: string, port: number): Promise<boolean> {
    const server = createServer((socket) => socket.destroy()).listen(port, host);
    await once(server, 'connection');
    server.close();
    await once(server, 'close');
    return true;
  }
});
