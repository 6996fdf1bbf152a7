import { mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { startForwardProxy } from '../../support/forward-proxy.ts';
import { createCertificate, type ServerCertificate } from '../support/certificates.ts';
import { createPoller } from '../support/image-poller.ts';
import { startNginx } from '../support/nginx.ts';
import type { Server } from '../support/processes.ts';

describe('polls of a web server', () => {
  let directory: string;
  let plain: Server;
  let secure: Server;
  let certificate: ServerCertificate;

  const urlOf = (path: string) => `http://127.0.0.1:${plain.port}${path}`;
  const http = (path: string, more: object = {}) => ({ http: { url: urlOf(path), ...more } });
  /** What a server was asked for, in the order of requests that have ended: `HEAD /path 304`. */
  const requests = async ({ port }: Server): Promise<string[]> => {
    const log = await readFile(join(directory, `nginx-${port}`, 'access.log'), 'utf8');
    return Array.from(log.matchAll(/"(\S+) (\S+) \S+" (\d+) /g), ([, ...parts]) => parts.join(' '));
  };

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'diskpress-polls-'));
    certificate = await createCertificate(directory);
    for (const name of ['disk.img', 'other.img', 'big.img']) await writeFile(join(directory, name), 'one');
    await writeFile(join(directory, 'big.img'), Buffer.alloc(64 * 1024 * 1024));
    await writeFile(join(directory, 'users'), 'alice:{PLAIN}wonder/land\n');
    plain = await startNginx({
      directory,
      root: directory,
      directives: `
        location /private/ { auth_basic disks; auth_basic_user_file ${directory}/users; alias ${directory}/; }
        location /token/ { if ($http_x_token != "let-me-in") { return 403; } alias ${directory}/; }
        location /no-head/ { if ($request_method = HEAD) { return 405; } alias ${directory}/; }
        location /no-ranges/ { if ($request_method = HEAD) { return 403; } max_ranges 0; alias ${directory}/; }
        location /unknown/ { etag off; if_modified_since off; add_header Last-Modified ""; alias ${directory}/; }
        location /dated/ { etag off; alias ${directory}/; }
        location /failing/ { return 503; }
        location /endless/ { return 302 /endless/; }`,
    });
    secure = await startNginx({
      directory,
      root: directory,
      listen: 'ssl',
      directives: `ssl_certificate ${certificate.certificate}; ssl_certificate_key ${certificate.key};`,
    });
  });

  after(async () => {
    await Promise.all([plain.stop(), secure.stop()]);
    await rm(directory, { recursive: true, force: true });
  });

  it('ask once, and then on the condition that it has changed', async () => {
    const poller = createPoller();
    const found = await poller.poll(http('/disk.img'));
    expect(found.digest).to.match(/^sha256:[0-9a-f]{64}$/);
    expect(found.unchanged).to.equal(false);
    expect(await poller.poll(http('/disk.img'), found)).to.deep.equal({ ...found, unchanged: true });
    expect((await requests(plain)).slice(-2)).to.deep.equal(['HEAD /disk.img 200', 'HEAD /disk.img 304']);
    await writeFile(join(directory, 'disk.img'), 'two, and longer');
    const changed = await poller.poll(http('/disk.img'), found);
    expect(changed).to.include({ unchanged: false });
    expect(changed.digest).to.not.equal(found.digest);
  });

  it('notice a file of another date where there is no ETag, also an older one', async () => {
    const poller = createPoller();
    const found = await poller.poll(http('/dated/other.img'));
    expect(await poller.poll(http('/dated/other.img'), found)).to.include({ unchanged: true });
    await utimes(join(directory, 'other.img'), 1_000_000, 1_000_000);
    expect(await poller.poll(http('/dated/other.img'), found)).to.include({ unchanged: false });
  });

  it('read one byte where HEAD is refused, and no more where ranges are not known', async () => {
    const poller = createPoller();
    const { digest } = await poller.poll(http('/big.img'));
    expect(await poller.poll(http('/no-head/big.img'))).to.include({ digest });
    expect(await poller.poll(http('/no-ranges/big.img'))).to.include({ digest });
    expect(await requests(plain)).to.include.members(['HEAD /no-head/big.img 405', 'GET /no-head/big.img 206']);
    const again = await poller.poll(http('/no-head/big.img'), await poller.poll(http('/no-head/big.img')));
    expect(again).to.include({ digest, unchanged: true });
  });

  it('send the credentials and headers of imports', async () => {
    const objects = {
      login: { accessKeyId: 'alice', secretKey: 'wonder/land\n' },
      header: { line: 'X-Token: let-me-in' },
    };
    const poller = createPoller(objects);
    const { digest } = await poller.poll(http('/big.img'));
    expect(await poller.poll(http('/private/big.img', { secretRef: 'login' }))).to.include({ digest });
    expect(await poller.poll(http('/token/big.img', { extraHeaders: ['X-Token: let-me-in'] }))).to.include({ digest });
    expect(await poller.poll(http('/token/big.img', { secretExtraHeaders: ['header'] }))).to.include({ digest });
  });

  it('trust the authority that is given, or anyone where that is asked for', async () => {
    const poller = createPoller({ authority: { 'ca.crt': await readFile(certificate.authority, 'utf8') } });
    const url = `https://127.0.0.1:${secure.port}/big.img`;
    const { digest } = await poller.poll(http('/big.img'));
    expect(await poller.poll({ http: { url, certConfigMap: 'authority' } })).to.include({ digest });
    expect(await poller.poll({ http: { url, insecureSkipVerify: true } })).to.include({ digest });
    expect(await poller.failureOf({ http: { url } })).to.match(/^CertificateUntrusted: .* name that in certConfigMap/);
  });

  it('go through the proxy of imports, with its authority', async () => {
    const proxy = await startForwardProxy({ address: '127.0.0.1', state: directory });
    try {
      const importProxy = { HTTPProxy: proxy.url, trustedCAProxy: 'proxy-authority' };
      const authority = { 'ca.crt': await readFile(certificate.authority, 'utf8') };
      const poller = createPoller({ 'proxy-authority': authority }, { importProxy });
      expect(await poller.poll(http('/big.img'))).to.have.property('digest');
      expect(await proxy.requests()).to.deep.equal([`HEAD ${urlOf('/big.img')} HTTP/1.1`]);
      expect(await createPoller({}, { importProxy }).failureOf(http('/big.img'))).to.match(
        /^ConfigMapNotFound: ConfigMap "proxy-authority" does not exist in namespace "cdi"/,
      );
    } finally {
      await proxy.stop();
    }
  });

  it('say what is wrong, in a sentence', async () => {
    const poller = createPoller();
    expect(await poller.failureOf(http('/none.img'))).to.equal(
      `NotFound: ${urlOf('/none.img')} answered 404 Not Found: check the URL`,
    );
    expect(await poller.failureOf(http('/private/disk.img'))).to.match(/^Unauthorized: .* of the Secret in secretRef$/);
    expect(await poller.failureOf(http('/failing/disk.img'))).to.match(/^ServerUnavailable: /);
    expect(await poller.failureOf(http('/endless/disk.img'))).to.match(/^TooManyRedirects: /);
    expect(await poller.failureOf(http('/unknown/disk.img'))).to.match(
      /^RequestRejected: .* has neither an ETag nor a Last-Modified date/,
    );
  });
});
