import { expect } from 'chai';
import { populationAnnotation } from '../../../../../src/api/annotations.ts';
import type { ImportSource } from '../../../../../src/api/source-fields.ts';
import { importAnnotations } from '../../../../../src/controllers/import/importer/annotations.ts';
import { askedSource } from '../../../../../src/controllers/import/importer/asked-source.ts';
import { importRequestOf, isImportClaim } from '../../../../../src/controllers/import/importer/request.ts';

const target = {
  volumeMode: 'Filesystem',
  capacity: 1,
  filesystemOverhead: 0,
  preallocation: false,
  contentType: 'kubevirt',
} as const;

const roundTrip = (source: ImportSource, insecureRegistries: string[] = [], gates: string[] = []) => {
  const annotations = importAnnotations(source, { contentType: 'kubevirt', preallocation: false });
  const claim = { metadata: { namespace: 'team', name: 'disk', annotations } };
  expect(isImportClaim(claim)).to.equal(true);
  const hasFeatureGate = (gate: string) => gates.includes(gate);
  const request = importRequestOf(claim, target, { insecureRegistries, hasFeatureGate });
  return { annotations, request: request.source, dependencies: request.dependencies };
};

describe('an import in the annotations of a claim', () => {
  it('keeps all of an http source, headers in their order', () => {
    const headers = Array.from({ length: 12 }, (_, index) => `X-${index}: ${index}`);
    const { request, dependencies } = roundTrip({
      http: {
        url: 'https://server/disk.img',
        secretRef: 'login',
        certConfigMap: 'authority',
        extraHeaders: headers,
        secretExtraHeaders: ['one', 'two'],
        checksum: 'md5:d41d8cd98f00b204e9800998ecf8427e',
      },
    });
    expect(request).to.deep.equal({
      type: 'http',
      url: 'https://server/disk.img',
      extraHeaders: headers,
      checksum: 'md5:d41d8cd98f00b204e9800998ecf8427e',
      insecureSkipVerify: false,
    });
    expect(dependencies.map(({ kind, namespace, name }) => `${kind} ${namespace}/${name}`)).to.deep.equal([
      'Secret team/login',
      'Secret team/one',
      'Secret team/two',
      'ConfigMap team/authority',
    ]);
    expect(new Set(dependencies.map(({ path }) => path)).size).to.equal(4);
  });

  it('finds an insecure registry by host and port', () => {
    const registry = { url: 'docker://registry.local:5000/org/disk:1', platform: { architecture: 'arm64' } };
    expect(roundTrip({ registry }, ['registry.local:5000']).request).to.include({
      insecureRegistry: true,
      architecture: 'arm64',
    });
    expect(roundTrip({ registry }, ['registry.local']).request).to.include({ insecureRegistry: false });
  });

  it('lets servers lead further inside where the feature gate says so', () => {
    for (const gates of [[], ['ImportFollowsInternalRedirects']]) {
      const config = { insecureRegistries: [], hasFeatureGate: (gate: string) => gates.includes(gate) };
      const { followsInternalRedirects } = importRequestOf(
        { metadata: { namespace: 'team', name: 'disk' } },
        target,
        config,
      );
      expect(followsInternalRedirects).to.equal(gates.length > 0);
    }
  });

  it('believes who says that it is a raw disk, and nothing else', () => {
    const config = { insecureRegistries: [], hasFeatureGate: () => false };
    const formatOf = (format: string) =>
      importRequestOf(
        { metadata: { name: 'disk', annotations: { 'cdi.kubevirt.io/storage.import.format': format } } },
        target,
        config,
      ).format;
    expect(formatOf('raw')).to.equal('raw');
    expect(formatOf('')).to.equal(undefined);
    expect(() => formatOf('qcow2'))
      .to.throw(/storage\.import\.format is "qcow2"; raw is all/)
      .with.property('reason', 'UnsupportedFormat');
  });

  it('treats an empty name of a Secret as none', () => {
    expect(roundTrip({ http: { url: 'http://server/', secretRef: '' } }).dependencies).to.deep.equal([]);
  });

  it('is a blank disk without a source of its own', () => {
    expect(roundTrip({ blank: {} }).request).to.deep.equal({ type: 'blank' });
  });

  it('refuses an ImageStream, and says what to give instead', () => {
    expect(() => roundTrip({ registry: { imageStream: 'fedora', pullMethod: 'node' } })).to.throw(/registry url/);
  });

  it('keeps where objects of S3 and Google Cloud Storage are, and asks for their Secrets', () => {
    const s3 = roundTrip({ s3: { url: 'https://s3/bucket/disk', secretRef: 'login', certConfigMap: 'authority' } });
    expect(s3.request).to.deep.equal({ type: 's3', url: 'https://s3/bucket/disk' });
    expect(s3.dependencies.map(({ keys }) => keys)).to.deep.equal([[['accessKeyId', 'secretKey']], []]);
    const gcs = roundTrip({ gcs: { url: 'gs://bucket/disk', secretRef: 'login' } });
    expect(gcs.request).to.deep.equal({ type: 'gcs', url: 'gs://bucket/disk' });
    expect(gcs.dependencies.map(({ keys }) => keys)).to.deep.equal([[['credentials.json']]]);
  });

  it('leaves the Secret and the certificates of an image that the node pulls to the node', () => {
    const registry = {
      url: 'docker://registry/disk:1',
      pullMethod: 'node',
      secretRef: 'login',
      certConfigMap: 'ca',
    } as const;
    const { request, dependencies } = roundTrip({ registry });
    expect(request).to.deep.equal({ type: 'pulled-image', image: 'registry/disk:1' });
    expect(dependencies).to.deep.equal([]);
    expect(() => roundTrip({ registry: { url: 'oci-archive:/disk.tar', pullMethod: 'node' } })).to.throw(/docker:/);
  });

  it('refuses a source that the importer does not know, by its name, and tells those that it does', () => {
    expect(() => askedSource({ [populationAnnotation.importSource]: 'tape' }))
      .to.throw(/tape is not supported by this version; use http, s3, gcs, registry, blank, imageio, vddk or file/)
      .with.property('reason', 'UnsupportedSource');
  });

  const disk = {
    url: 'https://vcenter.example',
    uuid: '4c4c4544',
    backingFile: '[store] machine/disk.vmdk',
    secretRef: 'login',
  };

  it('asks for a disk of VMware, and mounts who may read it and how', () => {
    const vddk = { ...disk, thumbprint: 'AA:BB', certConfigMap: 'ca', extraArgs: 'options' };
    const { request, dependencies } = roundTrip({ vddk });
    const { url, uuid, backingFile, thumbprint } = vddk;
    expect(request).to.deep.equal({ type: 'vddk', url, uuid, backingFile, thumbprint });
    expect(dependencies.map(({ kind, name, path }) => [kind, name, path])).to.deep.equal([
      ['Secret', 'login', '/etc/diskpress/credentials'],
      ['ConfigMap', 'ca', '/etc/diskpress/certificates'],
      ['ConfigMap', 'options', '/vddk-args'],
    ]);
  });

  for (const missing of ['url', 'uuid', 'backingFile', 'secretRef'] as const)
    it(`refuses a disk of VMware without ${missing}`, () => {
      expect(() => roundTrip({ vddk: { ...disk, [missing]: undefined } })).to.throw(`needs vddk.${missing}`);
    });

  it('asks for a disk of oVirt, and mounts who may read it', () => {
    const imageio = { url: 'https://engine/ovirt-engine/api', diskId: '1', secretRef: 'login', certConfigMap: 'ca' };
    const { request, dependencies } = roundTrip({ imageio });
    expect(request).to.deep.equal({ type: 'imageio', url: imageio.url, diskId: '1', insecureSkipVerify: false });
    expect(dependencies.map(({ kind, name }) => [kind, name])).to.deep.equal([
      ['Secret', 'login'],
      ['ConfigMap', 'ca'],
    ]);
  });

  it('has no file of the importer’s container, unless the feature gate says so', () => {
    const file = { path: 'golden/fedora.qcow2' };
    const archive = { url: 'oci-archive:golden/fedora.tar' };
    for (const source of [{ file }, { registry: archive }]) {
      expect(() => roundTrip(source, [], ['ImportFollowsInternalRedirects']))
        .to.throw(/turned off; an administrator can turn it on with the feature gate FileSource/)
        .with.property('reason', 'UnsupportedSource');
    }
    expect(roundTrip({ file }, [], ['FileSource']).request).to.deep.equal({ type: 'file', ...file });
    expect(roundTrip({ registry: archive }, [], ['FileSource']).request).to.include({ type: 'registry', ...archive });
    const onServer = { url: 'oci-archive:https://server/fedora.tar' };
    expect(roundTrip({ registry: onServer }).request).to.include({ type: 'registry', ...onServer });
  });

  it('leads to no file out of the folder of source files', () => {
    for (const path of ['/etc/passwd', '../secret', 'golden/../../secret', '..'])
      expect(() => roundTrip({ file: { path } }, [], ['FileSource'])).to.throw(/path must be relative .* without \.\./);
    for (const path of ['golden/..fedora.raw', 'a..b', '.hidden'])
      expect(roundTrip({ file: { path } }, [], ['FileSource']).request).to.deep.equal({ type: 'file', path });
  });

  it('is written in the annotations that others know', () => {
    const imageio = { url: 'https://engine/api', diskId: '1', secretRef: 'login', insecureSkipVerify: true };
    const claim = importAnnotations({ imageio }, { contentType: 'archive', preallocation: true });
    expect(claim).to.deep.equal({
      'cdi.kubevirt.io/storage.import.source': 'imageio',
      'cdi.kubevirt.io/storage.import.endpoint': 'https://engine/api',
      'cdi.kubevirt.io/storage.import.diskId': '1',
      'cdi.kubevirt.io/storage.import.secretName': 'login',
      'cdi.kubevirt.io/storage.import.insecureSkipVerify': 'true',
      'cdi.kubevirt.io/storage.contentType': 'archive',
      'cdi.kubevirt.io/storage.preallocation.requested': 'true',
    });
    expect(roundTrip({}).annotations).to.deep.equal({
      'cdi.kubevirt.io/storage.import.source': 'none',
      'cdi.kubevirt.io/storage.contentType': 'kubevirt',
    });
  });

  it('is one over http where the annotations have nothing but an endpoint', () => {
    const annotations = { 'cdi.kubevirt.io/storage.import.endpoint': 'https://server/disk.img' };
    const settings = { insecureRegistries: [], hasFeatureGate: () => false };
    const { source } = importRequestOf(
      { metadata: { namespace: 'team', name: 'disk', annotations } },
      target,
      settings,
    );
    expect(source).to.include({ type: 'http', url: 'https://server/disk.img' });
  });
});
