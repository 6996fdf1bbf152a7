import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { sameDisk, writeRawDisk } from '../support/images.ts';
import { importInPod, type PodRun } from '../support/importer.ts';
import { startNginx } from '../support/nginx.ts';
import { run, type Server } from '../support/processes.ts';

describe('importer: odd servers', () => {
  let directory: string;
  let raw: string;
  let server: Server;

  const importFrom = (url: string): Promise<PodRun> => importInPod(directory, { source: { url } });
  const succeeds = async ({ result, diskImage }: PodRun): Promise<void> => {
    expect(result.outcome, JSON.stringify(result)).to.equal('succeeded');
    expect(await sameDisk(diskImage, raw)).to.equal(true);
  };

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'diskpress-odd-'));
    raw = join(directory, 'disk.img');
    await writeRawDisk(raw, 16 * 1024 * 1024);
    await run('qemu-img', ['convert', '-O', 'qcow2', raw, join(directory, 'disk.qcow2')]);
    await run('gzip', ['-k', raw]);
    await copyFile(raw, join(directory, 'plain.gz'));
    // Asked for served.qcow2, the server takes served.qcow2.gz, and says that it has encoded it.
    await run('sh', [
      '-c',
      'gzip -c "$1" > "$2"',
      'sh',
      join(directory, 'disk.qcow2'),
      join(directory, 'served.qcow2.gz'),
    ]);
    server = await startNginx({
      directory,
      root: directory,
      directives: `
        location /encoded/ { alias ${directory}/; gzip_static always; }
        location /labelled/ { alias ${directory}/; add_header Content-Encoding gzip; }
        location /as/ { alias ${directory}/; add_header Content-Encoding $coding; }`,
      http: 'map $args $coding { "gzip%2C%20br" "gzip, br"; default $args; }',
    });
  });

  after(async () => {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  });

  it('may encode what nobody asked them to', async () =>
    succeeds(await importFrom(`http://127.0.0.1:${server.port}/encoded/served.qcow2`)));

  it('may call a compressed file encoded', async () =>
    succeeds(await importFrom(`http://127.0.0.1:${server.port}/labelled/disk.img.gz`)));

  it('may call encoded what is not, and compressed what is not', async () =>
    succeeds(await importFrom(`http://127.0.0.1:${server.port}/labelled/plain.gz`)));

  it('are refused where they encode in a way that is not known, and not for what is no coding', async () => {
    for (const coding of ['br', 'deflate', 'gzip, br']) {
      const { result } = await importFrom(`http://127.0.0.1:${server.port}/as/disk.img?${encodeURIComponent(coding)}`);
      expect(result).to.include({ outcome: 'failed', permanent: true, code: 'UnsupportedImage' });
      expect(result)
        .to.have.property('message')
        .that.includes(`the Content-Encoding ${coding.split(', ').at(-1)}`);
    }
    for (const coding of ['identity', 'aws-chunked', 'UTF-8', 'binary']) {
      await succeeds(await importFrom(`http://127.0.0.1:${server.port}/as/disk.img?${coding}`));
    }
  });

  it('have checksums of the bytes as they send them', async () => {
    const url = `http://127.0.0.1:${server.port}/labelled/disk.img.gz`;
    const sha256 = async (path: string): Promise<string> =>
      `sha256:${createHash('sha256')
        .update(await readFile(path))
        .digest('hex')}`;
    const checksum = await sha256(join(directory, 'disk.img.gz'));
    await succeeds(await importInPod(directory, { source: { url, checksum } }));
    const { result } = await importInPod(directory, { source: { url, checksum: await sha256(raw) } });
    expect(result).to.include({ outcome: 'failed', permanent: true, code: 'ChecksumMismatch' });
    expect(result).to.have.property('message').that.includes('sent with Content-Encoding gzip');
  });

  describe('with nothing but GET', () => {
    let url: string;
    let complete = true;
    const bare = createServer((request, response) => {
      if (request.method !== 'GET') return void response.writeHead(405).end();
      const path = join(directory, new URL(request.url ?? '/', 'http://bare').pathname);
      // No length, no ranges, no version: the body ends where its chunks end.
      response.writeHead(200);
      if (complete) createReadStream(path).pipe(response);
      else response.write(Buffer.alloc(4 * 1024 * 1024, 'half\0'), () => response.destroy());
    });

    before(async () => {
      bare.listen(0, '127.0.0.1');
      await once(bare, 'listening');
      url = `http://127.0.0.1:${(bare.address() as AddressInfo).port}`;
    });

    after(async () => {
      bare.close();
      bare.closeAllConnections();
      await once(bare, 'close');
    });

    it('are enough', async () => {
      complete = true;
      for (const name of ['disk.img', 'disk.qcow2', 'disk.img.gz']) await succeeds(await importFrom(`${url}/${name}`));
    });

    it('do not pass half a file for a whole one', async () => {
      complete = false;
      const { result } = await importInPod(directory, {
        source: { url: `${url}/disk.img` },
        settings: { patience: { giveUpAfter: 60_000, firstDelay: 10, longestDelay: 50 } },
      });
      expect(result).to.include({ outcome: 'failed', code: 'ProtocolViolation', permanent: true });
    });
  });
});
