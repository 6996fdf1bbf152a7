import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer, type IncomingHttpHeaders, type Server as HttpServer } from 'node:http';
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { type ForwardProxy, startForwardProxy } from '../../support/forward-proxy.ts';
import { type GcsServer, startGcsServer } from '../../support/gcs-server.ts';
import { cachedTypeScript } from '../../support/product-command.ts';
import { s3Credentials, type S3Server, startS3Server } from '../../support/s3-server.ts';
import { createCertificate } from '../support/certificates.ts';
import { sameDisk, writeRawDisk } from '../support/images.ts';
import { startNginx } from '../support/nginx.ts';
import { run, type Server } from '../support/processes.ts';
import { pushImage, startRegistry, writeImageLayout } from '../support/registry.ts';

const address = '127.0.0.1';
const script = fileURLToPath(new URL('../support/cli.ts', import.meta.url));

describe('diskpress import from anywhere', () => {
  let directory: string;
  let raw: string;
  let qcow2: string;
  let s3: S3Server;
  let gcs: GcsServer;
  let target: string;

  /** Runs the command with a stream, a file, or nothing as its standard input. */
  const diskpress = async (
    parameters: string[],
    environment: Record<string, string> = {},
    input?: { pipe: string } | { file: string },
  ): Promise<{ code: number; stderr: string }> => {
    const file = input && 'file' in input ? await open(input.file) : undefined;
    const child = spawn(process.execPath, [...cachedTypeScript, script, ...parameters], {
      stdio: [file?.fd ?? (input ? 'pipe' : 'ignore'), 'ignore', 'pipe'],
      env: { ...process.env, ...environment },
    });
    // It may be over before it has been given everything.
    const over = Promise.all([child.stderr ? text(child.stderr) : '', once(child, 'close')]);
    // A reader that fails closes its end.
    if (input && 'pipe' in input && child.stdin) {
      await pipeline(createReadStream(input.pipe), child.stdin).catch(() => undefined);
    }
    const [stderr] = await over;
    await file?.close();
    return { code: child.exitCode ?? 1, stderr };
  };
  const expectImported = async (ran: { code: number; stderr: string }): Promise<void> => {
    expect(ran.code, ran.stderr).to.equal(0);
    expect(await sameDisk(target, raw)).to.equal(true);
  };

  before(async function () {
    // The servers are compiled on the first run.
    this.timeout(0);
    directory = await mkdtemp(join(tmpdir(), 'diskpress-anywhere-'));
    raw = join(directory, 'disk.img');
    qcow2 = join(directory, 'disk.qcow2');
    target = join(directory, 'target.img');
    await writeRawDisk(raw, 16 * 1024 * 1024);
    await run('qemu-img', ['convert', '-c', '-O', 'qcow2', raw, qcow2]);
    await run('qemu-img', ['convert', '-O', 'qed', raw, join(directory, 'disk.qed')]);
    [s3, gcs] = await Promise.all([
      startS3Server({ address, state: directory }),
      startGcsServer({ address, state: directory }),
    ]);
    await s3.put('images', 'golden disk.qcow2', qcow2);
    await gcs.put('images', 'golden disk.qcow2', qcow2);
  });

  afterEach(() => rm(target, { force: true }));

  after(async () => {
    await Promise.all([s3.stop(), gcs.stop()]);
    await rm(directory, { recursive: true, force: true });
  });

  it('takes a stream from standard input', async () => {
    await expectImported(await diskpress(['import', '-', target], {}, { pipe: qcow2 }));
  });

  it('reads a file at standard input where it needs to', async () => {
    await expectImported(await diskpress(['import', '-', target], {}, { file: join(directory, 'disk.qed') }));
  });

  it('says that a stream cannot be read anywhere', async () => {
    const ran = await diskpress(
      ['import', '-', target, '--scratch', directory],
      {},
      { pipe: join(directory, 'disk.qed') },
    );
    expect(ran.code).to.equal(1);
    expect(ran.stderr).to.include('import it from a file');
  });

  it('says which files of an archive it cannot choose between where it reads them only once', async () => {
    await run('sh', ['-ec', 'head -c 20M /dev/urandom > a.vmem; tar -cf memory.tar a.vmem disk.qcow2'], {
      cwd: directory,
    });
    const memory = join(directory, 'memory.tar');
    const ran = await diskpress(['import', '-', target], {}, { pipe: memory });
    expect(ran.code).to.equal(1);
    expect(ran.stderr).to.match(/more than one disk image \(a\.vmem, disk\.qcow2\)/);
    expect(existsSync(target)).to.equal(false);
    await expectImported(await diskpress(['import', '-', target], {}, { file: memory }));
  });

  it('takes an object of S3', async () => {
    const environment = {
      AWS_ENDPOINT_URL: s3.url,
      AWS_ACCESS_KEY_ID: s3Credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: s3Credentials.secretKey,
    };
    await expectImported(await diskpress(['import', 's3://images/golden disk.qcow2', target], environment));
  });

  it('takes an object of Google Cloud Storage', async () => {
    const environment = { STORAGE_EMULATOR_HOST: new URL(gcs.url).host };
    await expectImported(await diskpress(['import', 'gs://images/golden disk.qcow2', target], environment));
  });

  it('takes an image in an archive', async () => {
    const root = join(directory, 'root');
    await mkdir(join(root, 'disk'), { recursive: true });
    await run('cp', [qcow2, join(root, 'disk')]);
    const layout = await writeImageLayout(directory, 'layout', [{ layers: [{ root, compression: 'zstd' }] }]);
    await run('tar', ['-C', layout, '-cf', join(directory, 'image.tar'), '.']);
    await expectImported(await diskpress(['import', `oci-archive:${join(directory, 'image.tar')}`, target]));
  });

  describe('with what a person gives along', () => {
    const listen = async (server: HttpServer | HttpsServer): Promise<number> => {
      await once(server.listen(0, address), 'listening');
      return (server.address() as AddressInfo).port;
    };

    it('trusts a file of certificates or a folder of such, and says at once where there is none', async () => {
      const { certificate, key, authority } = await createCertificate(directory);
      const image = await readFile(qcow2);
      const server = createHttpsServer(
        { cert: await readFile(certificate), key: await readFile(key) },
        (_, response) => void response.writeHead(200, { 'content-length': image.length }).end(image),
      );
      const url = `https://${address}:${await listen(server)}/disk`;
      const folder = await mkdtemp(join(directory, 'authorities-'));
      try {
        await copyFile(authority, join(folder, 'authority'));
        await expectImported(await diskpress(['import', url, target, '--ca', authority]));
        await expectImported(await diskpress(['import', url, target, '--ca', folder]));
        for (const [place, complaint] of [
          [join(folder, 'missing'), /the certificates in .*missing cannot be read \(ENOENT\)/],
          [qcow2, /there is no PEM certificate in .*disk.qcow2/],
        ] as const) {
          const { code, stderr } = await diskpress(['import', url, target, '--ca', place]);
          expect(code).to.equal(1);
          expect(stderr).to.match(complaint);
        }
      } finally {
        server.close();
      }
    });

    it('shows its headers to no other server that it is sent to', async () => {
      const image = await readFile(qcow2);
      const seen: IncomingHttpHeaders[] = [];
      const storage = createHttpServer((request, response) => {
        seen.push(request.headers);
        response.writeHead(200, { 'content-length': image.length }).end(image);
      });
      const port = await listen(storage);
      const front = createHttpServer((request, response) => {
        seen.push(request.headers);
        response.writeHead(302, { location: `http://${address}:${port}/disk` }).end();
      });
      try {
        const url = `http://${address}:${await listen(front)}/disk`;
        const headers = ['--header', 'X-Api-Key: secret', '--header', 'X-Other: known'];
        await expectImported(await diskpress(['import', ...headers, url, target]));
        expect(seen.map((headers) => headers['x-api-key'])).to.deep.equal(['secret', undefined]);
        expect(seen[0]).to.include({ 'x-other': 'known' });
      } finally {
        storage.close();
        front.close();
      }
    });
  });

  describe('with what a person has set up', () => {
    let proxy: ForwardProxy;
    let web: Server;
    let registry: Server;
    const credentials = { user: 'someone', password: 'pass word' };

    before(async () => {
      proxy = await startForwardProxy({ address, state: directory });
      web = await startNginx({ directory, root: directory });
      registry = await startRegistry({ directory, credentials });
    });

    after(() => Promise.all([proxy.stop(), web.stop(), registry.stop()]));

    it('goes through the proxy of the environment', async () => {
      const url = `http://${address}:${web.port}/disk.qcow2`;
      await expectImported(await diskpress(['import', url, target], { HTTP_PROXY: proxy.url, NO_PROXY: '' }));
      expect(await proxy.requests()).to.include(`GET ${url} HTTP/1.1`);
    });

    it('logs in to a registry as docker login has said', async () => {
      const root = join(directory, 'private-root');
      await mkdir(join(root, 'disk'), { recursive: true });
      await run('cp', [qcow2, join(root, 'disk')]);
      const layout = await writeImageLayout(directory, 'private', [{ layers: [{ root, compression: 'gzip' }] }]);
      await pushImage(layout, registry.port, 'private:v1', { credentials });
      const auth = Buffer.from(`${credentials.user}:${credentials.password}`).toString('base64');
      const configuration = join(directory, 'docker');
      await mkdir(configuration);
      await writeFile(
        join(configuration, 'config.json'),
        JSON.stringify({ auths: { [`${address}:${registry.port}`]: { auth } } }),
      );
      const url = `docker://${address}:${registry.port}/private:v1`;
      const environment = { DOCKER_CONFIG: configuration };
      await expectImported(await diskpress(['import', url, target, '--insecure'], environment));
    });
  });
});
