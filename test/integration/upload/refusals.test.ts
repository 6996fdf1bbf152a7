import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import { expect } from 'chai';
import type { TransferTarget } from '../../../src/protocol/transfer-pod.ts';
import { Authority } from '../../cluster/pki.ts';
import { eventually } from '../../support/eventually.ts';
import { sameDisk } from '../support/images.ts';
import { run } from '../support/processes.ts';
import { type Answer, answerTo, CLIENT_NAME, mixedDisk, uploadPortOf, UploadRig } from './rig/upload-rig.ts';

const MEBIBYTE = 1024 * 1024;

/** Sends the start of an image, and then more of anything for ever. */
async function* endless(start: Buffer): AsyncGenerator<Buffer> {
  yield start;
  for (;;) {
    yield randomBytes(64 * 1024);
    await sleep(5);
  }
}

describe('an upload server', () => {
  let rig: UploadRig;

  beforeEach(async () => {
    rig = await UploadRig.create();
  });

  afterEach(async () => {
    await rig.dispose();
  });

  /** Uploads what cannot become a disk; the answer must come while the client still sends, and end the pod. */
  const refused = async (code: string, image: Buffer, target: Partial<TransferTarget> = {}): Promise<Answer> => {
    const server = rig.start({ target });
    const answer = await rig.send(server, { body: endless(image), headers: { 'content-length': 10 ** 12 } });
    expect(answer).to.include({ status: 400 });
    expect(answer.headers['content-type']).to.equal('text/plain; charset=utf-8');
    const result = await server.result();
    expect(result).to.include({ outcome: 'failed', permanent: true, code });
    if (result.outcome === 'failed') expect(answer.text).to.equal(`${result.message}\n`);
    expect(await readdir(rig.target)).to.deep.equal([]);
    return answer;
  };
  const madeBy = async (script: string): Promise<Buffer> => {
    const path = join(rig.directory, 'made');
    await run('bash', ['-ec', script, 'bash', path]);
    return readFile(path);
  };

  it('answers what is wrong with an image that is received at once, also to clients that do not wait for the disk', async () => {
    const image = await madeBy('qemu-img create -q -f qcow2 "$1" 100G');
    const server = rig.start({});
    const answer = await rig.send(server, { path: '/v1beta1/upload-async', body: image });
    expect(answer).to.include({ status: 400 });
    expect(answer.text).to.match(/100 GiB/);
    expect(await server.result()).to.include({ outcome: 'failed', code: 'ImageTooLarge' });
  });

  describe('answers while the client still sends', () => {
    it('that the disk is too large', async () => {
      const image = await madeBy('qemu-img create -q -f qcow2 "$1" 100G');
      const { text } = await refused('ImageTooLarge', image);
      expect(text).to.match(/100 GiB/);
    });

    it('that raw data is too large', async () => {
      await refused('ImageTooLarge', mixedDisk(12), { capacity: 8 * MEBIBYTE });
    });

    it('that it is no image', async () => {
      await refused('NotAnImage', Buffer.from(`<!DOCTYPE html>\n<p>Choose an image.</p>${' '.repeat(1000)}`));
    });

    it('that it is damaged', async () => {
      const image = await madeBy('head -c 16M /dev/urandom | gzip > "$1"');
      randomBytes(1000).copy(image, 4 * MEBIBYTE);
      await refused('InvalidImage', image);
    });

    it('that it holds much more than a volume could', async () => {
      await refused('ImageTooLarge', await madeBy('head -c 4G /dev/zero | zstd -q -1 > "$1"'), { capacity: MEBIBYTE });
    });

    it('that it is no archive', async () => {
      await refused('NotAnImage', mixedDisk(4), { contentType: 'archive' });
    });
  });

  it('refuses what is not what the client has said it is', async () => {
    const server = rig.start();
    const headers = { 'x-diskpress-sha256': '0'.repeat(64) };
    const answer = await rig.send(server, { body: mixedDisk(8), headers });
    expect(answer).to.include({ status: 400 });
    expect(answer.text).to.match(/^the sha256 of what was uploaded is [0-9a-f]{64}, and 0{64} was expected/);
    expect(await server.result()).to.include({ outcome: 'failed', permanent: true, code: 'ChecksumMismatch' });
    expect(await readdir(rig.target)).to.deep.equal([]);
  });

  it('refuses an image that ends too early', async () => {
    const image = await madeBy('head -c 8M /dev/urandom > "$1.raw"; qemu-img convert -O qcow2 "$1.raw" "$1"');
    const server = rig.start();
    const answer = await rig.send(server, { body: image.subarray(0, 4 * MEBIBYTE) });
    expect(answer).to.include({ status: 400 });
    expect(await server.result()).to.include({ outcome: 'failed', permanent: true, code: 'TruncatedImage' });
  });

  it('says what is wrong with a request, and waits for another one', async () => {
    const server = rig.start();
    const body = mixedDisk(4);
    const status = async (options: Parameters<UploadRig['send']>[1]): Promise<number> => {
      const answer = await rig.send(server, options);
      expect(answer.text).to.match(/^.+\n$/);
      return answer.status;
    };
    expect(await status({ path: '/v1beta1/download', body })).to.equal(404);
    expect(await status({ method: 'GET' })).to.equal(405);
    expect(await status({ body: Buffer.alloc(0) })).to.equal(400);
    expect(await status({ body, headers: { 'x-diskpress-sha256': 'abc' } })).to.equal(400);
    expect(await status({ body, headers: { 'content-range': 'bytes 0-/5' } })).to.equal(400);
    expect(await status({ body, headers: { 'content-range': `bytes 0-5/${body.length}` } })).to.equal(400);
    expect(await status({ body, path: '/v1beta1/upload-form' })).to.equal(400);
    expect((await rig.send(server, { body })).status).to.equal(200);
    expect((await server.result()).outcome).to.equal('succeeded');
  });

  it('answers that an image was received before it is in place, where the client asks for that', async () => {
    const server = rig.start();
    const body = mixedDisk(8);
    expect((await rig.send(server, { body, path: '/v1beta1/upload-async' })).status).to.equal(200);
    expect((await server.result()).outcome).to.equal('succeeded');
    await writeFile(join(rig.directory, 'raw'), body);
    expect(await sameDisk(rig.diskImage, join(rig.directory, 'raw'))).to.equal(true);
  });

  it('takes one upload at a time, and does not let the dead block the living', async () => {
    const server = rig.start();
    const disk = mixedDisk(8);
    const alive = await rig.open(server, { body: endless(disk), headers: { 'content-length': 10 ** 9 } });
    await server.progress(({ bytesRead }) => bytesRead > MEBIBYTE);
    const meanwhile = await rig.send(server, { body: disk });
    expect(meanwhile).to.include({ status: 503 });
    expect(meanwhile.text).to.equal('another upload into this claim is in progress: wait until it has ended\n');
    alive.destroy();

    const silent = await rig.open(server, { headers: { 'content-length': disk.length }, body: stalled(disk) });
    const told = answerTo(silent);
    await server.logged(({ message }) => message === 'starting over');
    await server.progress(({ bytesRead }) => bytesRead >= 1000);
    expect((await rig.send(server, { body: disk })).status).to.equal(200);
    expect(await told).to.include({ status: 503 });
    expect((await server.result()).outcome).to.equal('succeeded');
  });

  describe('looks at certificates', () => {
    it('and takes images from the upload proxy only', async () => {
      const server = rig.start();
      const stranger = await Authority.create('stranger');
      const clients = [
        await rig.clientAuthority.issue({ commonName: 'somebody' }),
        await stranger.issue({ commonName: CLIENT_NAME }),
      ];
      for (const client of clients) {
        for (const method of ['POST', 'HEAD']) {
          expect(await rig.send(server, { client, method })).to.include({ status: 401 });
        }
      }
      await server.kill('SIGTERM');
    });

    it('and keeps few connections of others, for a short time', async () => {
      const server = rig.start();
      expect(await rig.send(server, { method: 'HEAD' })).to.include({ status: 200 });
      const port = await uploadPortOf(server);
      let closed = 0;
      for (let index = 0; index < 110; index++) {
        const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
        socket.on('error', () => undefined).on('close', () => closed++);
        await once(socket, 'secureConnect');
      }
      await eventually('those that are too many are closed', async () => closed >= 10);
      expect(await rig.send(server, { method: 'HEAD' })).to.include({ status: 200 });
      await eventually('all are closed', async () => closed === 110);
      await server.kill('SIGTERM');
    });

    it('again when they are renewed, while an upload goes on', async () => {
      const server = rig.start({ settings: { renewalInterval: 20 } });
      const disk = mixedDisk(8);
      const renewed = Promise.withResolvers<void>();
      const body = (async function* () {
        yield disk.subarray(0, MEBIBYTE);
        await renewed.promise;
        yield disk.subarray(MEBIBYTE);
      })();
      const running = rig.send(server, { body, headers: { 'content-length': disk.length } });
      await server.progress(({ bytesRead }) => bytesRead >= MEBIBYTE);
      const { client } = rig;
      const clientAuthority = await Authority.create('another client authority');
      await rig.certify(rig.serverAuthority, clientAuthority);
      const newClient = await clientAuthority.issue({ commonName: CLIENT_NAME });
      const head = { method: 'HEAD', path: '/v1beta1/upload' };
      await eventually(
        'the new one',
        async () => (await rig.send(server, { ...head, client: newClient })).status === 200,
      );
      expect(await rig.send(server, { ...head, client })).to.include({ status: 401 });
      renewed.resolve();
      expect((await running).status).to.equal(200);
      expect((await server.result()).outcome).to.equal('succeeded');
    });
  });

  describe('takes forms', () => {
    let image: string;

    beforeEach(async () => {
      image = join(rig.directory, 'image');
      await writeFile(image, mixedDisk(8));
    });

    const upload = async (path: string, ...form: string[]): Promise<[string, string]> => {
      const server = rig.start();
      const to = await rig.curlArguments(server, path);
      const { stdout } = await run('curl', ['--max-time', '30', ...form.flatMap((part) => ['--form', part]), ...to]);
      if (stdout.endsWith('200')) return [stdout, (await server.result()).outcome];
      // It waits for another image, or is about to end, whichever is wrong.
      await server.kill('SIGTERM');
      return [stdout, 'refused'];
    };

    for (const path of ['/v1beta1/upload-form', '/v1alpha1/upload-form-async']) {
      it(`on ${path}, as browsers and curl send them`, async () => {
        const parts = ['before=a field', `file=@${image};filename=disk.img`, 'after=another'];
        expect(await upload(path, ...parts)).to.deep.equal(['200', 'succeeded']);
        expect(await sameDisk(rig.diskImage, image)).to.equal(true);
      });
    }

    it('and compares the SHA-256 of the part', async () => {
      const { stdout: sum } = await run('sha256sum', [image]);
      const withSum = (hex: string): string => `file=@${image};headers="x-diskpress-sha256: ${hex}"`;
      expect(await upload('/v1beta1/upload-form', withSum(sum.slice(0, 64)))).to.deep.equal(['200', 'succeeded']);
      const [answer] = await upload('/v1beta1/upload-form', withSum('f'.repeat(64)));
      expect(answer).to.match(/^the sha256 of what was uploaded is .*\n400$/);
    });

    it('and says which part is missing', async () => {
      const [answer] = await upload('/v1beta1/upload-form', `image=@${image}`);
      expect(answer).to.equal('the form has no part "file": name the image so\n400');
    });
  });
});

/** Sends some bytes, and then nothing. */
async function* stalled(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes.subarray(0, 1000);
  await new Promise(() => undefined);
}
