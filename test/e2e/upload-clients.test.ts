import { join } from 'node:path';
import { expect } from 'chai';
import { populationAnnotation, stateAnnotation } from '../../src/api/annotations.ts';
import { dataVolumes } from '../../src/api/data-volume.ts';
import { persistentVolumeClaims } from '../../src/kube/builtin-resources.ts';
import type { CommandFailed } from '../cluster/commands.ts';
import { run } from '../cluster/commands.ts';
import { type ClaimOptions, dataVolume, untilSucceeded } from '../support/data-volumes.ts';
import { diskFile } from '../support/disk-images.ts';
import { rejection } from '../support/rejection.ts';
import type { StorageClasses } from '../support/storage-classes.ts';
import { until } from '../support/until.ts';
import { readVolume } from '../support/volume-content.ts';
import { Started } from './support/started.ts';
import { useSuite } from './support/suite.ts';
import { useUploadClients } from './support/upload-clients.ts';
import { makeClaim } from './support/volumes.ts';

interface Upload {
  readonly by: 'virtctl' | 'diskpress';
  readonly kind: 'dv' | 'pvc';
  /** `standard` unless given. */
  readonly storageClass?: keyof StorageClasses;
  readonly image: (typeof diskFile)[keyof typeof diskFile];
  readonly options?: readonly string[];
  /** The target is there already. */
  readonly existing?: ClaimOptions;
}

const block: ClaimOptions = { volumeMode: 'Block' };

/** Each brings the same disk into a volume. */
const uploads: Record<string, Upload> = {
  'virtctl into a new DataVolume': { by: 'virtctl', kind: 'dv', image: diskFile.qcow2 },
  'virtctl into a new claim': { by: 'virtctl', kind: 'pvc', image: diskFile.qcow2Compressed },
  'virtctl into a new Block volume': {
    by: 'virtctl',
    kind: 'dv',
    image: diskFile.rawGzip,
    options: ['--volume-mode', 'block', '--access-mode', 'ReadWriteOnce'],
  },
  'virtctl into a class that copies': { by: 'virtctl', kind: 'dv', storageClass: 'copy', image: diskFile.rawXz },
  'virtctl into a class that takes snapshots': {
    by: 'virtctl',
    kind: 'pvc',
    storageClass: 'snapshot',
    image: diskFile.vmdk,
  },
  'virtctl into a volume without a CSI driver': {
    by: 'virtctl',
    kind: 'pvc',
    storageClass: 'local',
    image: diskFile.qcow2,
    options: ['--force-bind'],
  },
  'virtctl, with --force-bind, into a DataVolume that would wait for a pod': {
    by: 'virtctl',
    kind: 'dv',
    storageClass: 'firstConsumer',
    image: diskFile.rawZstd,
    options: ['--force-bind', '--access-mode', 'ReadWriteOnce'],
  },
  'virtctl, with --force-bind, into a claim that would wait for a pod': {
    by: 'virtctl',
    kind: 'pvc',
    storageClass: 'firstConsumer',
    image: diskFile.qcow2,
    options: ['--force-bind'],
  },
  'virtctl into a DataVolume that is there': { by: 'virtctl', kind: 'dv', image: diskFile.raw, existing: {} },
  'virtctl into a DataVolume that is there, without a working claim': {
    by: 'virtctl',
    kind: 'dv',
    image: diskFile.qcow2Gzip,
    existing: { ...block, annotations: { 'cdi.kubevirt.io/storage.usePopulator': 'false' } },
  },
  'virtctl into a claim that is there': { by: 'virtctl', kind: 'pvc', image: diskFile.qcow2, existing: block },
  'diskpress into a new DataVolume, as large as its disk': { by: 'diskpress', kind: 'dv', image: diskFile.qcow2 },
  'diskpress into a new claim, with room for its disk': { by: 'diskpress', kind: 'pvc', image: diskFile.raw },
  'diskpress into a DataVolume that is there': { by: 'diskpress', kind: 'dv', image: diskFile.rawXz, existing: block },
  'diskpress, with --force-bind, into a claim that would wait for a pod': {
    by: 'diskpress',
    kind: 'pvc',
    storageClass: 'firstConsumer',
    image: diskFile.vmdk,
    options: ['--force-bind', '--size', '200Mi'],
  },
};

describe('uploads', function () {
  this.timeout(240_000);
  const suite = useSuite();
  const clients = useUploadClients(suite);
  const started = new Started<string>();
  const image = (name: string) => join(suite.disk.folder, name);
  const nameOf = (title: string) => title.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');

  before(() => {
    for (const [title, upload] of Object.entries(uploads)) started.start(title, () => uploaded(nameOf(title), upload));
  });

  /** Resolves to the hash of the disk that arrived. */
  async function uploaded(name: string, { by, kind, storageClass = 'standard', ...upload }: Upload): Promise<string> {
    const key = suite.key(name);
    const storageClassName = suite.classes[storageClass] ?? '';
    const { options = [], existing } = upload;
    if (existing) await make(kind, name, { storageClassName, ...existing });
    const target = existing ? ['--no-create'] : ['--storage-class', storageClassName, ...options];
    const file = image(upload.image);
    if (by === 'virtctl') {
      const size = existing ? [] : ['--size', '200Mi'];
      await clients.virtctl(kind, name, `--image-path=${file}`, ...size, ...target);
    } else {
      const { code, stderr } = await clients.diskpress(file, `${kind}/${name}`, ...target).ended;
      if (code !== 0) throw new Error(stderr);
    }
    if (kind === 'dv') await untilSucceeded(suite.client, key);
    return (await readVolume(suite, key, suite.disk.virtualSize)).sha256;
  }

  async function make(kind: Upload['kind'], name: string, options: ClaimOptions): Promise<void> {
    if (kind === 'dv') {
      const key = suite.key(name);
      await suite.client.create(dataVolumes, dataVolume(key, { upload: {} }, options));
      // virtctl gives up at once where the claim is not there, or is written while it writes.
      await until(suite.client, dataVolumes, key, 'it is ready', (found) => found?.status?.phase === 'UploadReady');
      return;
    }
    const annotations = { [populationAnnotation.uploadTarget]: '', [populationAnnotation.contentType]: 'kubevirt' };
    await makeClaim(suite, suite.key(name), {
      ...options,
      storageClassName: options.storageClassName,
      size: '200Mi',
      annotations,
    });
    await until(suite.client, persistentVolumeClaims, suite.key(name), 'it is ready', (claim) => {
      return claim?.metadata?.annotations?.[stateAnnotation.podReady] === 'true';
    });
  }

  for (const title of Object.keys(uploads)) {
    it(`by ${title}`, async () => {
      expect(await started.outcome(title)).to.equal(suite.disk.sha256);
    });
  }

  it('by virtctl of an archive', async () => {
    const archive = join(suite.state, 'virtctl.tar');
    await run('tar', ['-C', suite.disk.folder, '-cf', archive, diskFile.raw]);
    const target = ['--size', '300Mi', '--storage-class', suite.classes.standard];
    await clients.virtctl('dv', 'archive', `--archive-path=${archive}`, ...target);
    await untilSucceeded(suite.client, suite.key('archive'));
    expect((await readVolume(suite, suite.key('archive'), suite.disk.virtualSize)).sha256).to.equal(suite.disk.sha256);
  });

  it('by virtctl into what has its data already are refused', async () => {
    await started.outcome('virtctl into a new claim');
    const name = nameOf('virtctl into a new claim');
    const failure = await rejection(clients.virtctl('pvc', name, '--no-create', `--image-path=${image(diskFile.raw)}`));
    expect((failure as CommandFailed).message).to.match(/already/);
  });

  it('by virtctl that would wait for a pod end at once', async function () {
    const storageClass = suite.classes.firstConsumer;
    if (storageClass === undefined) this.skip();
    const target = ['--size', '200Mi', '--storage-class', storageClass, '--access-mode', 'ReadWriteOnce'];
    const failure = await rejection(
      clients.virtctl('dv', 'unconsumed', `--image-path=${image(diskFile.qcow2)}`, ...target),
    );
    expect((failure as CommandFailed).message).to.match(
      /cannot upload to DataVolume in (PendingPopulation|WaitForFirst)/,
    );
    const { code, stderr } = await clients.diskpress(image(diskFile.qcow2), 'dv/unconsumed').ended;
    expect(stderr).to.match(/waits for a pod that uses its claim: make that pod, or add --force-bind/);
    expect(code).to.equal(1);
  });

  it('by virtctl may make a DataSource, and say for which virtual machines the disk is', async () => {
    const target = ['--size', '200Mi', '--storage-class', suite.classes.standard, '--datasource'];
    const labels = ['--default-instancetype=u1.small', '--default-preference=fedora'];
    await clients.virtctl('dv', 'golden', `--image-path=${image(diskFile.qcow2)}`, ...target, ...labels);
    const claim = await suite.client.get(persistentVolumeClaims, suite.key('golden'));
    expect(claim?.metadata?.labels).to.include({
      'instancetype.kubevirt.io/default-instancetype': 'u1.small',
      'instancetype.kubevirt.io/default-preference': 'fedora',
    });
  });
});
