import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type GcsServer, startGcsServer } from '../../support/gcs-server.ts';
import { s3Credentials, type S3Server, startS3Server } from '../../support/s3-server.ts';
import { createCertificate, type ServerCertificate } from '../support/certificates.ts';
import { sameDisk, writeRawDisk } from '../support/images.ts';
import { importInPod, type PodOptions, type PodRun } from '../support/importer.ts';
import { mountOf } from '../support/mounts.ts';
import { startNginx } from '../support/nginx.ts';
import { run, type Server } from '../support/processes.ts';
import { startTokenServer, type TokenServer } from '../support/token-server.ts';

const address = '127.0.0.1';

describe('importer: object storage', () => {
  let directory: string;
  let raw: string;
  let qed: string;

  const succeeds = async ({ result, diskImage }: PodRun): Promise<void> => {
    expect(result.outcome, JSON.stringify(result)).to.equal('succeeded');
    expect(await sameDisk(diskImage, raw)).to.equal(true);
  };

  before(async function () {
    // The servers are compiled on the first run.
    this.timeout(0);
    directory = await mkdtemp(join(tmpdir(), 'diskpress-objects-'));
    raw = join(directory, 'disk.img');
    qed = join(directory, 'disk.qed');
    await writeRawDisk(raw, 16 * 1024 * 1024);
    await run('qemu-img', ['convert', '-O', 'qed', raw, qed]);
  });

  after(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  describe('S3', () => {
    let server: S3Server;
    let virtual: S3Server;
    let secure: S3Server;
    let certificate: ServerCertificate;
    let credentials: string;

    const importFrom = (url: string, settings: PodOptions['settings'] = {}): Promise<PodRun> =>
      importInPod(directory, { source: { type: 's3', url }, settings });

    before(async () => {
      certificate = await createCertificate(directory);
      server = await startS3Server({ address, state: directory });
      // A bucket named 127 is then found at 127.0.0.1, which needs no name server.
      virtual = await startS3Server({ address, state: directory, domain: '0.0.1' });
      secure = await startS3Server({ address, state: directory, tls: certificate });
      credentials = await mountOf(directory, {
        accessKeyId: s3Credentials.accessKeyId,
        secretKey: `${s3Credentials.secretKey}\n`,
      });
      await server.put('private', 'images/disk.img', raw);
      await server.put('private', 'odd/a + b (1)ü.img', raw);
      await server.put('private', 'disk.qed', qed);
      await server.put('public', 'disk.img', raw);
      await server.publish('public');
      await virtual.put('127', 'images/disk.img', raw);
      await secure.put('private', 'disk.img', raw);
    });

    after(() => Promise.all([server.stop(), virtual.stop(), secure.stop()]));

    it('signs requests, for the region that the server names', async () => {
      await succeeds(await importFrom(`${server.url}/private/images/disk.img`, { credentials }));
    });

    it('signs ranged reads as well', async () => {
      await succeeds(await importFrom(`${server.url}/private/disk.qed`, { credentials }));
    });

    it('takes keys with any characters', async () => {
      await succeeds(await importFrom(`${server.url}/private/odd/a%20+%20b%20(1)ü.img`, { credentials }));
    });

    it('takes the bucket from the name of the host', async () => {
      await succeeds(await importFrom(`${virtual.url}/images/disk.img`, { credentials }));
    });

    it('reads without credentials what everybody may read', async () => {
      await succeeds(await importFrom(`${server.url}/public/disk.img`));
    });

    it('trusts the authority of a ConfigMap', async () => {
      const certificates = await mountOf(directory, { ca: await readFile(certificate.authority, 'utf8') });
      await succeeds(await importFrom(`${secure.url}/private/disk.img`, { credentials, certificates }));
      const { result } = await importFrom(`${secure.url}/private/disk.img`, { credentials });
      expect(result).to.include({ permanent: true, code: 'CertificateUntrusted' });
    });

    it('fails for good on what is not there, and on what it may not read', async () => {
      const missingKey = await importFrom(`${server.url}/private/nothing.img`, { credentials });
      expect(missingKey.result).to.include({ permanent: true, code: 'NotFound' });
      expect(missingKey.result).to.have.property('message').that.includes('no such object');
      const missingBucket = await importFrom(`${server.url}/no-bucket/disk.img`, { credentials });
      expect(missingBucket.result).to.include({ permanent: true, code: 'NotFound' });
      expect(missingBucket.result).to.have.property('message').that.includes('no such bucket');
      const anonymous = await importFrom(`${server.url}/private/images/disk.img`);
      expect(anonymous.result).to.include({ permanent: true, code: 'Unauthorized' });
      expect(anonymous.result).to.have.property('message').that.includes('secretRef');
      const wrong = await mountOf(directory, { accessKeyId: s3Credentials.accessKeyId, secretKey: 'wrong-secret' });
      const refused = await importFrom(`${server.url}/private/images/disk.img`, { credentials: wrong });
      expect(refused.result).to.include({ permanent: true, code: 'Unauthorized' });
      expect(JSON.stringify(refused.result)).not.to.include('wrong-secret');
    });
  });

  describe('Google Cloud Storage', () => {
    let server: GcsServer;
    let closed: Server;
    let behind: GcsServer;
    let tokens: TokenServer;

    const importFrom = (url: string, settings: PodOptions['settings'] = {}): Promise<PodRun> =>
      importInPod(directory, { source: { type: 'gcs', url }, settings });

    before(async () => {
      server = await startGcsServer({ address, state: directory });
      tokens = await startTokenServer();
      // fake-gcs-server asks for no token; what is in front of it does.
      behind = await startGcsServer({ address, state: directory, publicHost: 'objects' });
      closed = await startNginx({
        directory,
        root: directory,
        directives: `location / {
          if ($http_authorization != "Bearer ${tokens.token}") { return 401; }
          proxy_pass ${behind.url}; proxy_set_header Host objects;
        }`,
      });
      for (const each of [server, behind]) {
        await each.put('images', 'golden/disk 1.img', raw);
        await each.put('images', 'disk.qed', qed);
      }
    });

    after(() => Promise.all([server.stop(), closed.stop(), behind.stop(), tokens.stop()]));

    it('reads without credentials what everybody may read', async () => {
      await succeeds(await importFrom(`${server.url}/images/golden/disk%201.img`));
      await succeeds(await importFrom(`${server.url}/images/disk.qed`));
    });

    it('gets a token for a service account', async () => {
      const credentials = await mountOf(directory, { 'credentials.json': tokens.serviceAccount });
      await succeeds(await importFrom(`http://${address}:${closed.port}/images/disk.qed`, { credentials }));
      expect(tokens.issued, 'one token for all requests').to.equal(1);
    });

    it('fails for good on what is not there, and on what it may not read', async () => {
      const missing = await importFrom(`${server.url}/images/nothing.img`);
      expect(missing.result).to.include({ permanent: true, code: 'NotFound' });
      const anonymous = await importFrom(`http://${address}:${closed.port}/images/disk.qed`);
      expect(anonymous.result).to.include({ permanent: true, code: 'Unauthorized' });
      expect(anonymous.result).to.have.property('message').that.includes('credentials.json');
      const unknown = await mountOf(directory, { 'credentials.json': tokens.unknownAccount });
      const refused = await importFrom(`http://${address}:${closed.port}/images/disk.qed`, { credentials: unknown });
      expect(refused.result).to.include({ permanent: true, code: 'Unauthorized' });
      const nonsense = await mountOf(directory, { 'credentials.json': '{"type": "authorized_user"}' });
      const invalid = await importFrom(`${server.url}/images/disk.qed`, { credentials: nonsense });
      expect(invalid.result).to.include({ permanent: true, code: 'InvalidRequest' });
    });
  });
});
