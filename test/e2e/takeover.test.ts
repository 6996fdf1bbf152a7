import { expect } from 'chai';
import { type DataVolume, dataVolumes, type DataVolumeSpec } from '../../src/api/data-volume.ts';
import type { DataVolumePhase } from '../../src/api/phases.ts';
import { volumeCloneSources } from '../../src/api/volume-clone-source.ts';
import { volumeImportSources } from '../../src/api/volume-import-source.ts';
import { volumeUploadSources } from '../../src/api/volume-upload-source.ts';
import { isLeftByCdi } from '../../src/controllers/objects/left-by-cdi.ts';
import {
  deployments,
  type PersistentVolumeClaim,
  persistentVolumeClaims,
  pods,
  services,
} from '../../src/kube/builtin-resources.ts';
import { keyOf } from '../../src/kube/key.ts';
import {
  dataVolumeOfCdi,
  podOfCdi,
  primeClaimOfCdi,
  targetClaimOfCdi,
  temporaryClaimOfCdi,
  uploadServiceOfCdi,
} from '../support/cdi/claims.ts';
import { conditionOf, untilSucceeded } from '../support/data-volumes.ts';
import { diskFile } from '../support/disk-images.ts';
import { productNamespace } from '../support/environment.ts';
import { until } from '../support/until.ts';
import { readVolume } from '../support/volume-content.ts';
import { webPath } from '../support/web-server.ts';
import { useSuite } from './support/suite.ts';
import { runInVolume } from './support/volumes.ts';

const CONTROLLERS = { namespace: productNamespace, name: 'cdi-deployment' };
const POD_PHASE = 'cdi.kubevirt.io/storage.pod.phase';
const NOWHERE = 'http://nowhere.invalid/disk.img';
const sources = { Import: volumeImportSources, Upload: volumeUploadSources, Clone: volumeCloneSources } as const;
const importFrom = (url: string) => ({
  'cdi.kubevirt.io/storage.import.source': 'http',
  'cdi.kubevirt.io/storage.import.endpoint': url,
});
/** Works until there is a file `go`, as an importer of CDI would. */
const atWork = 'printf "by CDI" > /data/disk.img; until [ -e /data/go ]; do sleep 0.5; done; rm /data/go';
const waiting = ['sh', '-c', 'sleep 3600'];

describe('a cluster of CDI that Diskpress takes over', () => {
  const suite = useSuite();
  let importing: PersistentVolumeClaim;

  const sha256Of = async (name: string, length: number) => (await readVolume(suite, suite.key(name), length)).sha256;

  async function scaleControllers(replicas: number): Promise<void> {
    await suite.client.mergePatch(deployments, CONTROLLERS, { spec: { replicas } });
  }

  /** Makes a DataVolume, its claim and its source, as CDI leaves them. */
  async function plant(
    name: string,
    kind: keyof typeof sources,
    spec: Partial<DataVolumeSpec>,
    phase: DataVolumePhase,
    annotations: Record<string, string> = {},
  ): Promise<{ dataVolume: DataVolume; target: PersistentVolumeClaim }> {
    const { client, classes } = suite;
    const planned = dataVolumeOfCdi(suite.key(name), spec);
    const finalizers = ['cdi.kubevirt.io/dataVolumeFinalizer'];
    const made = await client.create(dataVolumes, { ...planned, metadata: { ...planned.metadata, finalizers } });
    const dataVolume = await client.applyStatus(
      dataVolumes,
      { ...made, metadata: keyOf(made), status: { phase, claimName: name } },
      { fieldManager: 'cdi' },
    );
    const target = targetClaimOfCdi(dataVolume, kind, classes.standard, annotations);
    const { ownerReferences = [] } = target.metadata ?? {};
    const source = { metadata: { ...suite.key(target.spec?.dataSourceRef?.name ?? ''), ownerReferences } };
    const content = kind === 'Clone' ? { source: { kind: 'PersistentVolumeClaim', name: 'done' } } : {};
    await client.create(
      sources[kind] as typeof volumeImportSources,
      {
        ...source,
        spec: kind === 'Import' ? { source: spec.source } : content,
      } as never,
    );
    return { dataVolume, target: await client.create(persistentVolumeClaims, target) };
  }

  const prime = async (target: PersistentVolumeClaim, annotations: Record<string, string>) =>
    suite.client.create(persistentVolumeClaims, primeClaimOfCdi(target, { ...annotations, [POD_PHASE]: 'Running' }));
  const pod = async (
    claim: PersistentVolumeClaim,
    role: Parameters<typeof podOfCdi>[1]['role'],
    name: string,
    command: readonly string[],
  ) => suite.client.create(pods, podOfCdi(claim, { name, role, image: suite.image, command }));

  /** A DataVolume that has succeeded, and whose claim has what CDI has written, and still asks for it. */
  async function plantDone(): Promise<void> {
    const { client, classes, key } = suite;
    const planned = dataVolumeOfCdi(key('done'), { source: { http: { url: NOWHERE } } });
    const dataVolume = await client.create(dataVolumes, planned);
    await client.applyStatus(
      dataVolumes,
      { ...dataVolume, metadata: key('done'), status: { phase: 'Succeeded' } },
      { fieldManager: 'cdi' },
    );
    const annotations = { ...importFrom(NOWHERE), [POD_PHASE]: 'Succeeded' };
    const { metadata, spec } = targetClaimOfCdi(dataVolume, 'Import', classes.standard, annotations);
    delete spec?.dataSourceRef;
    await client.create(persistentVolumeClaims, { metadata, spec });
    await runInVolume(suite, key('done'), { text: 'printf "golden image" > /volume/disk.img', writable: true });
  }

  /** Makes what CDI was at work on. */
  async function plantAll(): Promise<void> {
    const { client, key } = suite;
    await plantDone();

    const half = await plant('half', 'Import', { source: { http: { url: NOWHERE } } }, 'ImportInProgress');
    importing = await prime(half.target, importFrom(NOWHERE));
    await pod(importing, 'importer', `importer-${importing.metadata?.name}`, ['sh', '-c', atWork]);

    const url = `${suite.web.url}${webPath.plain}/${diskFile.qcow2}`;
    const failing = await plant('failing', 'Import', { source: { http: { url } } }, 'ImportInProgress');
    const failingPrime = await prime(failing.target, importFrom(url));
    await pod(failingPrime, 'importer', `importer-${failingPrime.metadata?.name}`, ['sh', '-c', 'exit 1']);

    const upload = await plant('upload', 'Upload', { source: { upload: {} } }, 'UploadReady');
    const uploadPrime = await prime(upload.target, { 'cdi.kubevirt.io/storage.upload.target': '' });
    await pod(uploadPrime, 'cdi-upload-server', `cdi-upload-${uploadPrime.metadata?.name}`, waiting);
    await client.create(services, uploadServiceOfCdi(uploadPrime));

    const clone = { source: { pvc: key('done') } };
    const { target } = await plant('clone', 'Clone', clone, 'CloneInProgress', {
      'cdi.kubevirt.io/clonePhase': 'HostClone',
      'cdi.kubevirt.io/cloneType': 'copy',
    });
    const temporary = await client.create(persistentVolumeClaims, temporaryClaimOfCdi(target, key('done')));
    const source = await client.get(persistentVolumeClaims, key('done'));
    await pod(temporary, 'cdi-upload-server', `cdi-upload-${temporary.metadata?.name}`, waiting);
    if (source) await pod(source, 'cdi-clone-source', `${temporary.metadata?.uid}-source-pod`, waiting);
    await until(client, pods, key(`importer-${importing.metadata?.name}`), 'it runs', (found) => {
      return found?.status?.phase === 'Running';
    });
  }

  before(async function () {
    this.timeout(180_000);
    const { client } = suite;
    await scaleControllers(0);
    for (const { metadata } of await client.list(pods, {
      namespace: productNamespace,
      labelSelector: 'cdi.kubevirt.io=cdi-deployment',
    })) {
      const name = metadata?.name ?? '';
      await until(client, pods, { namespace: productNamespace, name }, 'it is gone', (found) => found === undefined);
    }
    try {
      await plantAll();
    } finally {
      // Without the controllers, the namespace could not be removed either.
      await scaleControllers(1);
    }
  });

  it('lets an importer of CDI go on, and hands its volume over', async function () {
    this.timeout(120_000);
    const { client, key } = suite;
    await until(client, dataVolumes, key('half'), 'its pod is waited for', (found) => {
      return conditionOf(found, 'Running')?.message?.includes('goes on with the import');
    });
    const claim = keyOf(importing);
    await runInVolume(suite, claim, { text: 'touch /volume/go', writable: true });
    await untilSucceeded(client, key('half'));
    const text = await runInVolume(suite, key('half'), { text: 'cat /volume/disk.img' });
    expect(text).to.equal('by CDI');
    await until(client, persistentVolumeClaims, claim, 'the working claim is gone', (found) => found === undefined);
  });

  it('begins an import anew whose importer fails', async function () {
    this.timeout(120_000);
    await untilSucceeded(suite.client, suite.key('failing'));
    expect(await sha256Of('failing', suite.disk.virtualSize)).to.equal(suite.disk.sha256);
  });

  it('takes uploads with a server of its own', async function () {
    this.timeout(120_000);
    const { client, key } = suite;
    const uid = (await client.get(persistentVolumeClaims, key('upload')))?.metadata?.uid;
    await until(client, pods, key(`cdi-upload-prime-${uid}`), 'the server is ours', (found) => {
      return found && !isLeftByCdi(found) && found.status?.phase === 'Running';
    });
    await until(client, dataVolumes, key('upload'), 'it is ready', (found) => found?.status?.phase === 'UploadReady');
    const service = await client.get(services, key(`cdi-upload-prime-${uid}`));
    expect(service && isLeftByCdi(service)).to.equal(false);
  });

  it('begins a clone anew, and removes what CDI has made for it', async function () {
    this.timeout(120_000);
    const { client, key } = suite;
    await untilSucceeded(client, key('clone'));
    const text = await runInVolume(suite, key('clone'), { text: 'head -c 12 /volume/disk.img' });
    expect(text).to.equal('golden image');
    const uid = (await client.get(persistentVolumeClaims, key('clone')))?.metadata?.uid;
    for (const [resource, name] of [
      [persistentVolumeClaims, `tmp-pvc-${uid}`],
      [pods, `cdi-upload-tmp-pvc-${uid}`],
    ] as const)
      await until(client, resource as typeof pods, key(name), 'it is gone', (found) => found === undefined);
  });

  it('leaves alone what has succeeded', async function () {
    this.timeout(60_000);
    const { client, key } = suite;
    const text = await runInVolume(suite, key('done'), { text: 'cat /volume/disk.img' });
    expect(text).to.equal('golden image');
    expect((await client.get(dataVolumes, key('done')))?.status?.phase).to.equal('Succeeded');
    expect(await client.get(pods, key('importer-done'))).to.be.undefined;
  });

  it('holds up no deletion by finalizers of CDI', async function () {
    this.timeout(60_000);
    const { client, key } = suite;
    for (const name of ['upload', 'clone']) {
      await client.delete(dataVolumes, key(name));
      for (const resource of [dataVolumes, persistentVolumeClaims] as const)
        await until(client, resource as typeof dataVolumes, key(name), 'it is gone', (found) => found === undefined);
    }
  });
});
