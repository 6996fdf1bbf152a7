import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { type DataVolume, dataVolumes, type DataVolumeSpec } from '../../src/api/data-volume.ts';
import { configMaps, persistentVolumeClaims, secrets } from '../../src/kube/builtin-resources.ts';
import { type ClaimOptions, dataVolume, untilSucceeded } from '../support/data-volumes.ts';
import { diskFile } from '../support/disk-images.ts';
import { containerDisk } from '../support/sources.ts';
import { readVolume, type VolumeContent } from '../support/volume-content.ts';
import { webCredentials, webPath, webToken } from '../support/web-server.ts';
import { Started } from './support/started.ts';
import { type Suite, useSuite } from './support/suite.ts';

const MEBIBYTE = 2 ** 20;

interface Import {
  readonly source: (suite: Suite) => DataVolumeSpec['source'];
  readonly claim?: ClaimOptions;
}

const http =
  (path: string, file: string, more: object = {}) =>
  ({ web }: Suite) => ({ http: { url: `${web.url}${path}/${file}`, ...more } });
const registry =
  (image: string, more: object = {}) =>
  (suite: Suite) => ({ registry: { url: `docker://${suite.registry.host}/${image}`, ...more } });
const block = { volumeMode: 'Block' } as const;

/** Each brings the same disk into a claim. */
const imports: Record<string, Import> = {
  'a raw disk over http': { source: http(webPath.plain, diskFile.raw) },
  'a raw disk over http into a Block volume': { source: http(webPath.plain, diskFile.raw), claim: block },
  'a gzipped raw disk': { source: http(webPath.plain, diskFile.rawGzip) },
  'an xz-compressed raw disk': { source: http(webPath.plain, diskFile.rawXz) },
  'a zstd-compressed raw disk': { source: http(webPath.plain, diskFile.rawZstd) },
  'a qcow2 disk': { source: http(webPath.plain, diskFile.qcow2) },
  'a qcow2 disk into a Block volume': { source: http(webPath.plain, diskFile.qcow2), claim: block },
  'a compressed qcow2 disk': { source: http(webPath.plain, diskFile.qcow2Compressed) },
  'a gzipped qcow2 disk': { source: http(webPath.plain, diskFile.qcow2Gzip) },
  'a vmdk disk': { source: http(webPath.plain, diskFile.vmdk) },
  'a qcow2 disk from a server without ranges': { source: http(webPath.withoutRanges, diskFile.qcow2) },
  'a disk behind a redirect': { source: http(webPath.redirected, diskFile.qcow2) },
  'a disk with basic authentication': { source: http(webPath.private, diskFile.qcow2, { secretRef: 'web' }) },
  'a disk that wants a header': {
    source: http(webPath.token, diskFile.qcow2, { extraHeaders: [`X-Token: ${webToken}`] }),
  },
  'a disk that wants a header from a Secret': {
    source: http(webPath.token, diskFile.qcow2, { secretExtraHeaders: ['token'] }),
  },
  'a disk over https with the authority of a ConfigMap': {
    source: ({ web }) => ({
      http: { url: `${web.httpsUrl}${webPath.plain}/${diskFile.qcow2}`, certConfigMap: 'authority' },
    }),
  },
  'a container disk in a gzip layer': { source: registry(containerDisk.gzip) },
  'a container disk in a zstd layer': { source: registry(containerDisk.zstd) },
  'a raw container disk in a plain layer': { source: registry(containerDisk.plain) },
  'a container disk into a Block volume': { source: registry(containerDisk.gzip), claim: block },
  'a container disk of several platforms': {
    source: registry(containerDisk.platforms, { platform: { architecture: 'amd64' } }),
  },
  'without a populator': {
    source: http(webPath.plain, diskFile.qcow2),
    claim: { annotations: { 'cdi.kubevirt.io/storage.usePopulator': 'false' } },
  },
};

describe('imports', () => {
  const suite = useSuite();
  const started = new Started<{ object: DataVolume; content: VolumeContent }>();
  const nameOf = (title: string) => title.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');

  before(async function () {
    this.timeout(120_000);
    const { client, namespace, key } = suite;
    const secret = (name: string, stringData: Record<string, string>) =>
      client.create(secrets, { metadata: { namespace, name }, stringData });
    await Promise.all([
      secret('web', { accessKeyId: webCredentials.user, secretKey: webCredentials.password }),
      secret('token', { header: `X-Token: ${webToken}` }),
      client.create(configMaps, {
        metadata: { namespace, name: 'authority' },
        data: { 'any-name.pem': suite.web.authority },
      }),
    ]);
    for (const [title, { source, claim }] of Object.entries(imports)) {
      started.start(title, async () => {
        const options = { storageClassName: suite.classes.standard, ...claim };
        await client.create(dataVolumes, dataVolume(key(nameOf(title)), source(suite), options));
        const object = await untilSucceeded(client, key(nameOf(title)), 180_000);
        return { object, content: await readVolume(suite, key(nameOf(title)), suite.disk.virtualSize) };
      });
    }
  });

  for (const title of Object.keys(imports)) {
    it(`imports ${title}`, async function () {
      this.timeout(240_000);
      const { object, content } = await started.outcome(title);
      expect(content.sha256).to.equal(suite.disk.sha256);
      expect(content.zerosAfter, 'zeros behind the disk').to.be.true;
      expect(object.status?.progress).to.equal('100.0%');
      expect(object.status?.restartCount).to.equal(0);
    });
  }

  it('makes the image as large as the volume allows, sparse, and accessible to virtual machines', async () => {
    const { content } = await started.outcome('a qcow2 disk');
    expect(content.file?.size).to.be.within(180 * MEBIBYTE, 200 * MEBIBYTE);
    expect(content.file?.allocated).to.be.below(40 * MEBIBYTE);
    expect(content.file).to.include({ mode: '660', group: 107 });
  });

  it('labels the claim as the environment of the image says', async () => {
    const title = 'a container disk in a gzip layer';
    await started.outcome(title);
    const claim = await suite.client.get(persistentVolumeClaims, suite.key(nameOf(title)));
    expect(claim?.metadata?.labels).to.include({ 'instancetype.kubevirt.io/default-instancetype': 'u1.small' });
  });

  it('verifies the checksum that is given', async () => {
    const key = suite.key('checksum');
    const bytes = await readFile(join(suite.disk.folder, diskFile.qcow2));
    const checksum = `sha512:${createHash('sha512').update(bytes).digest('hex')}`;
    const source = http(webPath.plain, diskFile.qcow2, { checksum })(suite);
    await suite.client.create(dataVolumes, dataVolume(key, source, { storageClassName: suite.classes.standard }));
    await untilSucceeded(suite.client, key);
  });

  it('makes a blank disk', async () => {
    const key = suite.key('blank');
    await suite.client.create(
      dataVolumes,
      dataVolume(key, { blank: {} }, { storageClassName: suite.classes.standard, size: '100Mi' }),
    );
    await untilSucceeded(suite.client, key);
    const content = await readVolume(suite, key, 0);
    expect(content.zerosAfter).to.be.true;
    expect(content.file?.size).to.be.within(90 * MEBIBYTE, 100 * MEBIBYTE);
    expect(content.file?.allocated).to.be.below(MEBIBYTE);
  });
});
