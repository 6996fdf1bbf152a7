import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type ForwardProxy, startForwardProxy } from '../../support/forward-proxy.ts';
import { createCertificate, type ServerCertificate } from '../support/certificates.ts';
import { sameDisk, writeRawDisk } from '../support/images.ts';
import { importInPod, type PodRun } from '../support/importer.ts';
import { mountOf } from '../support/mounts.ts';
import { startNginx } from '../support/nginx.ts';
import { freePort, run, type Server } from '../support/processes.ts';

const address = '127.0.0.1';
const variables = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy'] as const;

describe('importer: proxies', () => {
  let directory: string;
  let raw: string;
  let certificate: ServerCertificate;
  let certificates: string;
  let plain: Server;
  let secure: Server;
  let proxy: ForwardProxy;
  let demanding: ForwardProxy;
  const environment = new Map<string, string | undefined>();

  const importThrough = (proxies: Record<string, string>, url: string): Promise<PodRun> => {
    for (const name of variables) delete process.env[name];
    Object.assign(process.env, proxies);
    return importInPod(directory, { source: { url }, settings: { certificates } });
  };
  const succeeds = async ({ result, diskImage }: PodRun): Promise<void> => {
    expect(result.outcome, JSON.stringify(result)).to.equal('succeeded');
    expect(await sameDisk(diskImage, raw)).to.equal(true);
  };

  before(async () => {
    for (const name of variables) environment.set(name, process.env[name]);
    directory = await mkdtemp(join(tmpdir(), 'diskpress-proxy-'));
    raw = join(directory, 'disk.img');
    await writeRawDisk(raw, 16 * 1024 * 1024);
    await run('qemu-img', ['convert', '-O', 'vmdk', raw, join(directory, 'disk.vmdk')]);
    certificate = await createCertificate(directory);
    certificates = await mountOf(directory, { ca: await readFile(certificate.authority, 'utf8') });
    plain = await startNginx({ directory, root: directory });
    secure = await startNginx({
      directory,
      root: directory,
      listen: 'ssl',
      directives: `ssl_certificate ${certificate.certificate}; ssl_certificate_key ${certificate.key};`,
    });
    proxy = await startForwardProxy({ address, state: directory, connectPorts: [secure.port] });
    demanding = await startForwardProxy({ address, state: directory, credentials: { user: 'me', password: 's3cret' } });
  });

  after(async () => {
    for (const [name, value] of environment) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
    await Promise.all([plain.stop(), secure.stop(), proxy.stop(), demanding.stop()]);
    await rm(directory, { recursive: true, force: true });
  });

  it('forward http, ranged reads included', async () => {
    await succeeds(await importThrough({ HTTP_PROXY: proxy.url }, `http://${address}:${plain.port}/disk.vmdk`));
    expect(await proxy.requests()).to.include(`GET http://${address}:${plain.port}/disk.vmdk HTTP/1.1`);
  });

  it('tunnel https, so that only the server is trusted', async () => {
    await succeeds(await importThrough({ HTTPS_PROXY: proxy.url }, `https://${address}:${secure.port}/disk.vmdk`));
    expect(await proxy.requests()).to.include(`CONNECT ${address}:${secure.port} HTTP/1.1`);
  });

  it('are not used for what NO_PROXY names', async () => {
    const before = await proxy.requests();
    await succeeds(
      await importThrough(
        { HTTP_PROXY: proxy.url, NO_PROXY: 'example.org,127.0.0.0/8' },
        `http://${address}:${plain.port}/disk.img`,
      ),
    );
    expect(await proxy.requests()).to.deep.equal(before);
  });

  it('are told who asks', async () => {
    for (const url of [`http://${address}:${plain.port}/disk.img`, `https://${address}:${secure.port}/disk.img`]) {
      await succeeds(await importThrough({ HTTP_PROXY: demanding.url, HTTPS_PROXY: demanding.url }, url));
      const nameless = demanding.url.replace('me:s3cret@', '');
      const { result } = await importThrough({ HTTP_PROXY: nameless, HTTPS_PROXY: nameless }, url);
      expect(result).to.include({ outcome: 'failed', permanent: true, code: 'ProxyRefused' });
    }
  });

  it('say so when they do not reach a host', async () => {
    const { result } = await importThrough({ HTTPS_PROXY: proxy.url }, `https://${address}:1/disk.img`);
    expect(result).to.include({ outcome: 'failed', permanent: true, code: 'ProxyRefused' });
    expect(result).to.have.property('message').that.includes('noProxy');
  });

  it('are named when they are not there', async () => {
    const missing = `http://${address}:${await freePort()}`;
    for (const name of variables) delete process.env[name];
    process.env['HTTP_PROXY'] = missing;
    const { result } = await importInPod(directory, {
      source: { url: `http://${address}:${plain.port}/disk.img` },
      settings: { patience: { giveUpAfter: 0, firstDelay: 1, longestDelay: 1 } },
    });
    expect(result).to.include({ outcome: 'failed', permanent: false, code: 'ConnectionRefused' });
    expect(result).to.have.property('message').that.includes('the proxy for');
  });
});
