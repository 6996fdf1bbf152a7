import { join } from 'node:path';
import { expect } from 'chai';
import { cdis } from '../../src/api/cdi.ts';
import { cdiConfigs } from '../../src/api/cdi-config.ts';
import { dataVolumes, type DataVolumeSpec } from '../../src/api/data-volume.ts';
import { volumeImportSources } from '../../src/api/volume-import-source.ts';
import { configMaps, persistentVolumeClaims, secrets } from '../../src/kube/builtin-resources.ts';
import { run } from '../cluster/commands.ts';
import { loadImage } from '../cluster/index.ts';
import { conditionOf, dataVolume, untilSucceeded } from '../support/data-volumes.ts';
import { diskFile } from '../support/disk-images.ts';
import { type ForwardProxy, startForwardProxy } from '../support/forward-proxy.ts';
import { type GcsServer, startGcsServer } from '../support/gcs-server.ts';
import { s3Credentials, type S3Server, startS3Server } from '../support/s3-server.ts';
import { containerDisk } from '../support/sources.ts';
import { until } from '../support/until.ts';
import { readVolume } from '../support/volume-content.ts';
import { webPath } from '../support/web-server.ts';
import { useSuite } from './support/suite.ts';

const TIMEOUT = 180_000;

describe('imports from other places', function () {
  this.timeout(TIMEOUT + 60_000);
  const suite = useSuite();
  let s3: S3Server;
  let gcs: GcsServer;

  const start = async (name: string, source: DataVolumeSpec['source']): Promise<void> => {
    const options = { storageClassName: suite.classes.standard };
    await suite.client.create(dataVolumes, dataVolume(suite.key(name), source, options));
  };
  const expectDisk = async (name: string): Promise<void> => {
    const { sha256 } = await readVolume(suite, suite.key(name), suite.disk.virtualSize);
    expect(sha256).to.equal(suite.disk.sha256);
  };
  const imports = async (name: string, source: DataVolumeSpec['source']): Promise<void> => {
    await start(name, source);
    await untilSucceeded(suite.client, suite.key(name), TIMEOUT);
    await expectDisk(name);
  };

  before(async function () {
    // The servers are compiled on the first run.
    this.timeout(0);
    const { client, namespace, hostAddress: address, state, disk } = suite;
    [s3, gcs] = await Promise.all([startS3Server({ address, state }), startGcsServer({ address, state })]);
    await s3.put('golden', 'disk.qcow2', join(disk.folder, diskFile.qcow2));
    await gcs.put('golden', 'disk.qcow2', join(disk.folder, diskFile.qcow2));
    await client.create(secrets, { metadata: { namespace, name: 's3' }, stringData: { ...s3Credentials } });
  });

  after(() => Promise.all([s3.stop(), gcs.stop()]));

  it('imports an object of S3', () => imports('s3', { s3: { url: `${s3.url}/golden/disk.qcow2`, secretRef: 's3' } }));

  it('imports an object of Google Cloud Storage', () =>
    imports('gcs', { gcs: { url: `${gcs.url}/golden/disk.qcow2` } }));

  it('fills a claim of its own from S3', async () => {
    const { client, classes, key } = suite;
    await client.create(volumeImportSources, {
      apiVersion: 'cdi.kubevirt.io/v1beta1',
      kind: 'VolumeImportSource',
      metadata: { ...key('from-s3') },
      spec: { source: { s3: { url: `${s3.url}/golden/disk.qcow2`, secretRef: 's3' } } },
    });
    await client.create(persistentVolumeClaims, {
      metadata: { ...key('claim-of-s3') },
      spec: {
        accessModes: ['ReadWriteOnce'],
        storageClassName: classes.standard,
        resources: { requests: { storage: '200Mi' } },
        dataSourceRef: { apiGroup: 'cdi.kubevirt.io', kind: 'VolumeImportSource', name: 'from-s3' },
      },
    });
    await until(
      client,
      persistentVolumeClaims,
      key('claim-of-s3'),
      'it is bound',
      (claim) => claim?.status?.phase === 'Bound',
      TIMEOUT,
    );
    await expectDisk('claim-of-s3');
  });

  it('says what is wrong with an object of S3 that is not there', async () => {
    await start('s3-missing', { s3: { url: `${s3.url}/golden/nothing.qcow2`, secretRef: 's3' } });
    const failed = await until(suite.client, dataVolumes, suite.key('s3-missing'), 'it has failed', (object) =>
      object?.status?.phase === 'Failed' ? object : undefined,
    );
    expect(conditionOf(failed, 'Running')?.message).to.include('no such object');
  });

  it('imports an image that the node has pulled', async function () {
    // The nodes of a cluster that is not ours cannot be given an image.
    if (suite.hostNames.length === 0) this.skip();
    const image = 'localhost/golden/pulled:1';
    const archive = join(suite.state, 'pulled.tar');
    const from = `docker://${suite.registry.host}/${containerDisk.gzip}`;
    await run('skopeo', ['copy', '--quiet', '--src-tls-verify=false', from, `docker-archive:${archive}:${image}`]);
    await loadImage(archive);
    await imports('pulled', { registry: { url: `docker://${image}`, pullMethod: 'node' } });
    const claim = await suite.client.get(persistentVolumeClaims, suite.key('pulled'));
    expect(claim?.metadata?.labels).to.include({ 'instancetype.kubevirt.io/default-instancetype': 'u1.small' });
  });

  it('tells that the node cannot pull an image', async () => {
    const image = `${suite.hostAddress}:1/no/such:1`;
    await start('not-pulled', { registry: { url: `docker://${image}`, pullMethod: 'node' } });
    await until(suite.client, dataVolumes, suite.key('not-pulled'), 'it names the image', (object) =>
      conditionOf(object, 'Running')?.message?.includes(image),
    );
  });

  it('fails at once where the node will never pull an image', async () => {
    const image = `${suite.hostAddress}:1/No/Such:1`;
    await start('never-pulled', { registry: { url: `docker://${image}`, pullMethod: 'node' } });
    const failed = await until(suite.client, dataVolumes, suite.key('never-pulled'), 'it has failed', (object) =>
      object?.status?.phase === 'Failed' ? object : undefined,
    );
    expect(conditionOf(failed, 'Running')).to.include({ reason: 'InvalidUrl' });
    expect(conditionOf(failed, 'Running')?.message).to.include('The node cannot pull the image: ').and.include(image);
  });

  describe('through a proxy', () => {
    let proxy: ForwardProxy;
    const configure = async (importProxy: object | null): Promise<void> => {
      const { client } = suite;
      await client.mergePatch(cdis, { namespace: '', name: 'cdi' }, { spec: { config: { importProxy } } });
      await until(client, cdiConfigs, { namespace: '', name: 'config' }, 'it has the proxy', (config) =>
        importProxy ? config?.spec.importProxy !== undefined : config?.spec.importProxy === undefined,
      );
    };

    before(async () => {
      const { client, hostAddress: address, state, web } = suite;
      proxy = await startForwardProxy({ address, state });
      const key = { namespace: 'cdi', name: 'test-proxy-authority' };
      const fieldManager = 'diskpress-test';
      await client.apply(configMaps, { metadata: key, data: { 'any.pem': web.authority } }, { fieldManager });
      await configure({ HTTPProxy: proxy.url, HTTPSProxy: proxy.url, trustedCAProxy: key.name });
    });

    after(async () => {
      await configure(null);
      await suite.client.delete(configMaps, { namespace: 'cdi', name: 'test-proxy-authority' });
      await proxy.stop();
    });

    it('imports over http', async () => {
      const url = `${suite.web.url}${webPath.plain}/${diskFile.qcow2}`;
      await imports('proxy-http', { http: { url } });
      expect(await proxy.requests()).to.include(`GET ${url} HTTP/1.1`);
    });

    it('imports over https, and trusts the certificates for the proxy', async () => {
      await imports('proxy-https', { http: { url: `${suite.web.httpsUrl}${webPath.plain}/${diskFile.qcow2}` } });
      expect(await proxy.requests()).to.include(`CONNECT ${new URL(suite.web.httpsUrl).host} HTTP/1.1`);
    });
  });
});
