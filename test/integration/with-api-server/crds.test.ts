import { join } from 'node:path';
import { expect } from 'chai';
import { resources } from '../../../src/api/resources.ts';
import { type ApiServer, kubernetesIsBuilt, startApiServer } from '../../support/api-server.ts';
import { Kubectl } from '../../support/kubectl.ts';
import {
  accepted,
  dataVolume,
  http,
  object,
  pvc,
  refused,
  registryTemplate,
  storage,
} from '../../support/manifests.ts';

const CRDS = join(import.meta.dirname, '../../../crds');

describe('CustomResourceDefinitions in a real API server', function () {
  this.timeout(60_000);
  let server: ApiServer;
  let kubectl: Kubectl;

  before(kubernetesIsBuilt);
  before(async () => {
    server = await startApiServer();
    kubectl = await Kubectl.create(server.kubeConfigPath);
    await kubectl.run('apply', '-k', CRDS);
    await kubectl.run('wait', '--for=condition=Established', '--timeout=30s', 'crd', '--all');
  });
  after(async () => {
    await kubectl?.remove();
    await server?.stop();
  });

  it('are all structural', async () => {
    const { items } = JSON.parse(await kubectl.run('get', 'crd', '-o', 'json')) as {
      items: { status: { conditions: { type: string }[] } }[];
    };
    expect(items).to.have.length(resources.length);
    for (const { status } of items)
      expect(status.conditions.map(({ type }) => type)).not.to.include('NonStructuralSchema');
  });

  for (const [what, manifest] of Object.entries(accepted))
    it(`accept ${what}`, async () => {
      expect(await kubectl.apply(manifest)).to.match(/ created$/);
    });

  for (const [what, [manifest, ...words]] of Object.entries(refused))
    it(`refuse ${what}, and say so`, async () => {
      const refusal = await kubectl.refusal(manifest);
      for (const word of words) expect(refusal).to.include(word);
    });

  it('fill in the defaults', async () => {
    await kubectl.apply(
      object('DataImportCron', 'defaults', { ...registryTemplate, schedule: '', managedDataSource: 'a' }),
    );
    expect(await kubectl.run('get', 'dic', 'defaults', '-o', 'jsonpath={.spec.importsToKeep}')).to.equal('3');
  });

  it('serve a DataVolume as v1alpha1 and as v1beta1', async () => {
    await kubectl.apply(object('DataVolume', 'two-versions', { source: { http }, pvc }, 'v1alpha1'));
    for (const version of ['v1alpha1', 'v1beta1'])
      expect(
        await kubectl.run(
          'get',
          `datavolumes.${version}.cdi.kubevirt.io`,
          'two-versions',
          '-o',
          'jsonpath={.apiVersion}',
        ),
      ).to.equal(`cdi.kubevirt.io/${version}`);
  });

  it('show phase, progress and restarts of a DataVolume under its short names and under "all"', async () => {
    await kubectl.apply(dataVolume('columns', { source: { http }, pvc }));
    const status = { phase: 'ImportInProgress', progress: '45.20%', restartCount: 2 };
    await kubectl.run(
      'patch',
      'dv',
      'columns',
      '--subresource=status',
      '--type=merge',
      '-p',
      JSON.stringify({ status }),
    );
    const [header, row] = (await kubectl.run('get', 'dvs', 'columns')).split('\n');
    expect(header?.split(/ +/).filter(Boolean)).to.deep.equal(['NAME', 'PHASE', 'PROGRESS', 'RESTARTS', 'AGE']);
    expect(row?.split(/ +/).slice(0, 4)).to.deep.equal(['columns', 'ImportInProgress', '45.20%', '2']);
    expect(await kubectl.run('get', 'all')).to.include('datavolume.cdi.kubevirt.io/columns');
  });

  it('explain every field', async () => {
    expect(await kubectl.run('explain', 'dv.spec.source.http.checksum')).to.include(
      'Digest of the file as it is served',
    );
  });

  it('show what a StorageProfile and a DataSource have found out', async () => {
    await kubectl.apply(object('StorageProfile', 'columns', {}));
    await kubectl.apply(object('DataSource', 'columns', { source: {} }));
    const columnsOf = async (...names: string[]) => (await kubectl.run('get', ...names)).split('\n')[0]?.split(/  +/);
    expect(await columnsOf('storageprofiles')).to.deep.equal([
      'NAME',
      'PROVISIONER',
      'CLONE',
      'SNAPSHOT CLASS',
      'RECOGNIZED',
      'AGE',
    ]);
    expect(await columnsOf('datasources')).to.deep.equal(['NAME', 'READY', 'CLAIM', 'SNAPSHOT', 'AGE']);
  });

  for (const [kind, spec, change] of [
    ['VolumeImportSource', { source: { http } }, { source: { blank: {} } }],
    ['VolumeUploadSource', { contentType: 'kubevirt' }, { contentType: 'archive' }],
    [
      'DataImportCron',
      { ...registryTemplate, schedule: '', managedDataSource: 'a' },
      { ...registryTemplate, schedule: '', managedDataSource: 'b' },
    ],
  ] as const)
    it(`refuse another spec of a ${kind}`, async () => {
      await kubectl.apply(object(kind, 'fixed', spec));
      expect(await kubectl.refusal(object(kind, 'fixed', change))).to.include(`the spec of a ${kind} is immutable`);
    });

  describe('of a DataVolume that exists', () => {
    const spec = { source: { http }, storage };
    before(() => kubectl.apply(dataVolume('existing', spec)));

    for (const [field, change] of Object.entries({
      source: { source: { http: { url: 'http://example.com/other.qcow2' } } },
      storage: { storage: { ...storage, storageClassName: 'fast' } },
      preallocation: { preallocation: true },
      contentType: { contentType: 'archive' },
    }))
      it(`refuse another ${field}`, async () => {
        expect(await kubectl.refusal(dataVolume('existing', { ...spec, ...change }))).to.include(
          `spec.${field} cannot be changed`,
        );
      });

    it('accept labels and annotations', async () => {
      await kubectl.run('annotate', 'dv', 'existing', 'cdi.kubevirt.io/storage.bind.immediate.requested=true');
    });
  });

  const first = { previous: '', current: 'a' };
  const second = { previous: '52 de c0 11 8b/7', current: 'b' };
  const imageio = { url: 'https://engine.example.com/ovirt-engine/api', diskId: 'd', secretRef: 'engine' };
  for (const [kind, spec] of [
    ['DataVolume', { source: { imageio }, storage }],
    ['VolumeImportSource', { source: { imageio }, targetClaim: 'disk' }],
  ] as const)
    describe(`of a ${kind} with stages`, () => {
      const name = `stages-of-a-${kind.toLowerCase()}`;
      const staged = (change: object) => object(kind, name, { ...spec, ...change });
      before(() => kubectl.apply(staged({ checkpoints: [first] })));

      it('accept more of them, and which is the last', async () => {
        const next = staged({ checkpoints: [first, second], finalCheckpoint: true });
        expect(await kubectl.apply(next)).to.match(/ configured$/);
      });

      it('refuse none at all, and some for an import without any', async () => {
        expect(await kubectl.refusal(staged({ checkpoints: [] }))).to.include('be removed altogether');
        await kubectl.apply(object(kind, `${name}-whole`, spec));
        const late = object(kind, `${name}-whole`, { ...spec, checkpoints: [first] });
        expect(await kubectl.refusal(late)).to.include('checkpoints cannot be added to an import without any');
      });

      it('refuse any other change along with them', async () => {
        const other = { source: { imageio: { ...imageio, diskId: 'e' } }, checkpoints: [first, second] };
        expect(await kubectl.refusal(staged(other))).to.include('spec.source cannot be changed');
      });
    });
});
