import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { createCertificate, type ServerCertificate } from '../support/certificates.ts';
import { sameDisk, writeRawDisk } from '../support/images.ts';
import { importInPod, type PodOptions, type PodRun } from '../support/importer.ts';
import { startNginx } from '../support/nginx.ts';
import { run, type Server } from '../support/processes.ts';

describe('importer: credentials, headers, certificates, redirects', () => {
  let directory: string;
  let raw: string;
  let certificate: ServerCertificate;
  let server: Server;
  let secure: Server;
  let other: Server;

  const importFrom = (url: string, source: object = {}, settings: PodOptions['settings'] = {}): Promise<PodRun> =>
    importInPod(directory, { source: { url, ...source }, settings });
  const folderWith = async (files: Record<string, string>): Promise<string> => {
    const folder = await mkdtemp(join(directory, 'mount-'));
    for (const [name, content] of Object.entries(files)) {
      await mkdir(join(folder, name, '..'), { recursive: true });
      await writeFile(join(folder, name), content);
    }
    return folder;
  };

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'diskpress-access-'));
    const root = join(directory, 'www');
    await mkdir(root);
    raw = join(root, 'disk.img');
    await writeRawDisk(raw, 16 * 1024 * 1024);
    await run('qemu-img', ['convert', '-O', 'qed', raw, join(root, 'disk.qed')]);
    certificate = await createCertificate(directory);
    const { stdout } = await run('htpasswd', ['-Bbn', '-C', '4', 'someone', 'pass:word']);
    await writeFile(join(directory, 'htpasswd'), stdout);
    const log = join(directory, 'other.log');
    other = await startNginx({
      directory,
      root,
      http: `log_format headers '$http_authorization|$http_x_token|$http_x_plain'; `,
      directives: `access_log ${log} headers;`,
    });
    server = await startNginx({
      directory,
      root,
      directives: `
        location /basic/ { alias ${root}/; auth_basic test; auth_basic_user_file ${directory}/htpasswd; }
        location /token/ { if ($http_x_token != "secret-token") { return 403; } alias ${root}/; }
        location /plain/ { if ($http_x_plain != "seen") { return 403; } alias ${root}/; }
        location /moved/ { return 302 /plain/disk.img; }
        location /elsewhere/ { return 307 http://127.0.0.1:${other.port}/disk.img; }
        location /loop/ { return 302 /loop/; }`,
    });
    secure = await startNginx({
      directory,
      root,
      listen: 'ssl',
      directives: `ssl_certificate ${certificate.certificate}; ssl_certificate_key ${certificate.key};`,
    });
  });

  after(async () => {
    await Promise.all([server.stop(), secure.stop(), other.stop()]);
    await rm(directory, { recursive: true, force: true });
  });

  it('sends the credentials of a Secret, for ranged reads as well', async () => {
    const credentials = await folderWith({ accessKeyId: 'someone', secretKey: 'pass:word' });
    for (const name of ['disk.img', 'disk.qed']) {
      const url = `http://127.0.0.1:${server.port}/basic/${name}`;
      const { result, diskImage } = await importFrom(url, {}, { credentials });
      expect(result.outcome).to.equal('succeeded');
      expect(await sameDisk(diskImage, raw)).to.equal(true);
    }
  });

  it('says which Secret it lacks, and leaves it to a later pod to find it', async () => {
    const url = `http://127.0.0.1:${server.port}/basic/disk.img`;
    const importWith = async (keys: string[][], files: Record<string, string>): Promise<PodRun> => {
      const credentials = await folderWith(files);
      const login = { kind: 'Secret', namespace: 'team', name: 'login', keys, path: credentials } as const;
      return importInPod(directory, { source: { url }, dependencies: [login], settings: { credentials } });
    };
    const keys = [['accessKeyId', 'secretKey']];
    const passing = { outcome: 'failed', permanent: false, code: 'SecretNotFound' };

    const missing = await importWith(keys, {});
    expect(missing.exitCode).to.equal(1);
    expect(missing.result).to.deep.equal({
      ...passing,
      message:
        'Secret "login" does not exist in namespace "team", or is empty; ' +
        'create it with the keys accessKeyId and secretKey, and the import starts',
    });
    const incomplete = await importWith([...keys, ['.dockerconfigjson']], {
      accessKeyId: 'someone',
      '..data/secretKey': 'x',
    });
    expect(incomplete.result).to.deep.equal({
      ...passing,
      message:
        'Secret "login" in namespace "team" does not have the keys accessKeyId and secretKey, or .dockerconfigjson; ' +
        'add them, and the import starts',
    });
    const complete = await importWith(keys, { accessKeyId: 'someone', secretKey: 'pass:word' });
    expect(complete.result.outcome, JSON.stringify(complete.result)).to.equal('succeeded');
  });

  it('lacks neither a Secret with headers nor a ConfigMap that has anything in it', async () => {
    const object = { namespace: 'team', name: 'named', keys: [] };
    const url = `http://127.0.0.1:${server.port}/disk.img`;
    for (const kind of ['Secret', 'ConfigMap'] as const) {
      const path = join(directory, 'not-mounted');
      const missing = await importInPod(directory, { source: { url }, dependencies: [{ ...object, kind, path }] });
      expect(missing.result).to.include({ permanent: false, code: `${kind}NotFound` });
      expect(missing.result)
        .to.have.property('message')
        .that.matches(/^(Secret|ConfigMap) "named" does not exist/);
      const there = { ...object, kind, path: await folderWith({ any: 'thing' }) };
      const { result } = await importInPod(directory, { source: { url }, dependencies: [there] });
      expect(result.outcome, JSON.stringify(result)).to.equal('succeeded');
    }
  });

  it('fails for good on missing credentials, without showing any', async () => {
    const url = `http://someone:wrong-secret@127.0.0.1:${server.port}/basic/disk.img?signature=hidden`;
    const { result } = await importFrom(url);
    expect(result).to.include({ outcome: 'failed', permanent: true, code: 'Unauthorized' });
    expect(JSON.stringify(result)).not.to.match(/wrong-secret|hidden/);
  });

  it('sends extra and secret headers', async () => {
    const url = `http://127.0.0.1:${server.port}`;
    const plain = await importFrom(`${url}/plain/disk.img`, { extraHeaders: ['X-Plain: seen'] });
    expect(plain.result.outcome).to.equal('succeeded');
    const secretHeaders = await folderWith({ '0/header': 'X-Token: secret-token\n' });
    expect((await importFrom(`${url}/token/disk.img`, {}, { secretHeaders })).result.outcome).to.equal('succeeded');
    const refused = await importFrom(`${url}/token/disk.img`);
    expect(refused.result).to.include({ outcome: 'failed', permanent: true, code: 'Forbidden' });
  });

  it('follows redirects, and keeps the user’s headers from other sites', async () => {
    const url = `http://127.0.0.1:${server.port}`;
    const moved = await importFrom(`${url}/moved/`, { extraHeaders: ['X-Plain: seen'] });
    expect(moved.result.outcome).to.equal('succeeded');
    const elsewhere = await importFrom(
      `${url}/elsewhere/`,
      { extraHeaders: ['X-Plain: seen'] },
      {
        secretHeaders: await folderWith({ '0/header': 'X-Token: secret-token' }),
        credentials: await folderWith({ accessKeyId: 'someone', secretKey: 'pass:word' }),
      },
    );
    expect(elsewhere.result.outcome).to.equal('succeeded');
    expect((await readFile(join(directory, 'other.log'), 'utf8')).split('\n')[0]).to.equal('-|-|-');
    const loop = await importFrom(`${url}/loop/`);
    expect(loop.result).to.include({ permanent: true, code: 'TooManyRedirects' });
  });

  it('trusts the authority of a ConfigMap, and says what to do about one it does not know', async () => {
    const url = `https://127.0.0.1:${secure.port}/disk.img`;
    const certificates = await folderWith({ 'any-name': await readFile(certificate.authority, 'utf8') });
    expect((await importFrom(url, {}, { certificates })).result.outcome).to.equal('succeeded');
    expect((await importFrom(url, { insecureSkipVerify: true })).result.outcome).to.equal('succeeded');
    const { result } = await importFrom(url);
    expect(result).to.include({ outcome: 'failed', permanent: true, code: 'CertificateUntrusted' });
    expect(result).to.have.property('message').that.includes('certConfigMap');
    const nonsense = await folderWith({ 'ca.crt': 'no certificate' });
    const invalid = await importFrom(url, {}, { certificates: nonsense });
    expect(invalid.result).to.include({ permanent: true, code: 'InvalidRequest' });
  });

  it('tells a server without TLS from one with', async () => {
    const { result } = await importFrom(`https://127.0.0.1:${server.port}/disk.img`);
    expect(result).to.include({ outcome: 'failed', permanent: true, code: 'TlsFailed' });
  });
});
