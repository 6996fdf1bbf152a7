import type { DataVolume, DataVolumeSpec } from '../../src/api/data-volume.ts';
import { type ClaimOptions, dataVolume } from '../support/data-volumes.ts';
import { diskFile } from '../support/disk-images.ts';
import { containerDisk, type Sources } from '../support/sources.ts';
import type { StorageClasses } from '../support/storage-classes.ts';
import { webPath } from '../support/web-server.ts';

/** Where the demo works. All of them enforce the restricted Pod Security Standard. */
export const demoNamespaces = { golden: 'diskpress-demo', team: 'diskpress-demo-team' } as const;

/** A DataVolume that the demo shows, and what is to become of it. */
export interface DemoVolume {
  readonly name: string;
  readonly namespace: string;
  /** For people: what the source is. */
  readonly source: string;
  /** Which class it needs; it is left out where the cluster has none such. */
  readonly role: keyof StorageClasses;
  readonly object: (sources: Sources, storageClassName: string) => DataVolume;
  readonly expected:
    | { readonly outcome: 'succeeded'; readonly cloneType?: string; readonly content: 'disk' | 'zeros' }
    | { readonly outcome: 'failed'; readonly message: RegExp };
  /** The file of the disk images that `diskpress upload` sends into it. */
  readonly uploads?: string;
  /** It stays in this phase until a pod uses its claim. */
  readonly waitsIn?: 'PendingPopulation' | 'WaitForFirstConsumer';
}

type SourceOf = (sources: Sources) => DataVolumeSpec['source'];

const { golden, team } = demoNamespaces;
const disk = { outcome: 'succeeded', content: 'disk' } as const;

const file =
  (name: string): SourceOf =>
  ({ web }) => ({ http: { url: `${web.url}${webPath.plain}/${name}` } });

function imported(
  name: string,
  source: string,
  from: SourceOf,
  more: Partial<DemoVolume> & { claim?: ClaimOptions } = {},
): DemoVolume {
  const { claim, ...rest } = more;
  return {
    name,
    namespace: golden,
    source,
    role: 'standard',
    object: (sources, storageClassName) =>
      dataVolume({ namespace: golden, name }, from(sources), { storageClassName, ...claim }),
    expected: disk,
    ...rest,
  };
}

function cloned(
  from: string,
  role: keyof StorageClasses,
  cloneType: string,
  more: Partial<DemoVolume> & { claim?: ClaimOptions; name: string },
): DemoVolume {
  const { claim, name, namespace = golden, ...rest } = more;
  return {
    name,
    namespace,
    source: `pvc ${golden}/${from}`,
    role,
    object: (_, storageClassName) =>
      dataVolume({ namespace, name }, { pvc: { namespace: golden, name: from } }, { storageClassName, ...claim }),
    expected: { ...disk, cloneType },
    ...rest,
  };
}

const block: ClaimOptions = { volumeMode: 'Block' };

/** In this order: clones come after what they are made of. */
export const demoVolumes: readonly DemoVolume[] = [
  imported('import-qcow2', 'http, qcow2', file(diskFile.qcow2)),
  imported('import-qcow2-compressed', 'http, compressed qcow2', file(diskFile.qcow2Compressed)),
  imported('import-raw-gz', 'http, raw.gz', file(diskFile.rawGzip)),
  imported('import-raw-xz', 'http, raw.xz', file(diskFile.rawXz)),
  imported('import-raw-zst', 'http, raw.zst', file(diskFile.rawZstd)),
  imported('import-block', 'http, qcow2', file(diskFile.qcow2), { claim: block }),
  {
    // As published tutorials have it.
    name: 'example-import-dv',
    namespace: golden,
    source: 'registry, qcow2 in gzip',
    role: 'standard',
    object: ({ registry }, storageClassName) => ({
      apiVersion: 'cdi.kubevirt.io/v1alpha1',
      kind: 'DataVolume',
      metadata: { name: 'example-import-dv', namespace: golden },
      spec: {
        source: { registry: { url: `docker://${registry.host}/${containerDisk.gzip}` } },
        pvc: {
          accessModes: ['ReadWriteOnce'],
          resources: { requests: { storage: '10240Mi' } },
          storageClassName,
        },
      },
    }),
    expected: disk,
  },
  imported('upload-qcow2', 'upload, compressed qcow2', () => ({ upload: {} }), {
    uploads: diskFile.qcow2Compressed,
  }),
  imported('blank', 'blank', () => ({ blank: {} }), { expected: { outcome: 'succeeded', content: 'zeros' } }),
  imported('import-first-consumer', 'http, qcow2', file(diskFile.qcow2), {
    role: 'firstConsumer',
    waitsIn: 'PendingPopulation',
  }),
  imported('import-local', 'http, qcow2', file(diskFile.qcow2), { role: 'local', waitsIn: 'WaitForFirstConsumer' }),
  imported('import-snapshot-class', 'http, qcow2', file(diskFile.qcow2), { role: 'snapshot' }),
  imported('import-copy-class', 'http, qcow2', file(diskFile.qcow2), { role: 'copy' }),
  imported('import-missing', 'http, no such file', file('no-such-disk.qcow2'), {
    expected: { outcome: 'failed', message: /404/ },
  }),
  cloned('import-qcow2', 'csiClone', 'csi-clone', { name: 'clone-csi' }),
  cloned('import-qcow2', 'csiClone', 'csi-clone', { name: 'clone-csi', namespace: team }),
  cloned('import-block', 'csiClone', 'csi-clone', { name: 'clone-csi-block', namespace: team, claim: block }),
  cloned('import-snapshot-class', 'snapshot', 'snapshot', { name: 'clone-snapshot' }),
  cloned('import-snapshot-class', 'snapshot', 'snapshot', { name: 'clone-snapshot', namespace: team }),
  cloned('import-copy-class', 'copy', 'copy', { name: 'clone-copy' }),
  cloned('import-copy-class', 'copy', 'copy', { name: 'clone-copy', namespace: team }),
  cloned('import-block', 'copy', 'copy', { name: 'clone-copy-block', claim: block }),
  cloned('import-qcow2', 'firstConsumer', 'snapshot', {
    name: 'clone-first-consumer',
    waitsIn: 'PendingPopulation',
  }),
  cloned('import-qcow2', 'local', 'copy', { name: 'clone-local', waitsIn: 'WaitForFirstConsumer' }),
];
