import { dataSources } from '../../../src/api/data-source.ts';
import { type DataVolume, dataVolumes } from '../../../src/api/data-volume.ts';
import { volumeCloneSources } from '../../../src/api/volume-clone-source.ts';
import {
  configMaps,
  type PersistentVolumeClaim,
  persistentVolumeClaims,
  pods,
  secrets,
  services,
} from '../../../src/kube/builtin-resources.ts';
import { keyOf, keyToString, type ObjectKey } from '../../../src/kube/key.ts';
import { volumeSnapshots } from '../../../src/kube/snapshot-resources.ts';
import {
  importerPodName,
  primeClaimName,
  proxyCertificatesName,
  scratchClaimName,
  temporaryClaimName,
  temporarySnapshotName,
  temporarySourceClaimName,
  transferSecretName,
  uploadPodName,
  uploadServiceName,
} from '../../../src/protocol/object-names.ts';
import { type ClaimOptions, dataVolume } from '../../support/data-volumes.ts';
import { MARKED_SIZE } from '../support/marked-volumes.ts';
import { anyName, anyOwn, type HostileWorld, ownResources } from './world.ts';

/** Something that a hostile tenant tries. It rejects where the API server refuses. */
export type Action = (world: HostileWorld) => Promise<unknown>;

const at = ({ namespace }: HostileWorld, name: string): ObjectKey => ({ namespace, name });

function claim(world: HostileWorld, name: string, more: PersistentVolumeClaim = {}): PersistentVolumeClaim {
  return {
    metadata: { ...at(world, name), ...more.metadata },
    spec: {
      accessModes: ['ReadWriteOnce'],
      storageClassName: world.classes.standard,
      resources: { requests: { storage: MARKED_SIZE } },
      ...more.spec,
    },
  };
}

/** Never runs: that it is there is enough. */
function pod(world: HostileWorld, name: string, annotations: Record<string, string> = {}) {
  return {
    metadata: { ...at(world, name), annotations },
    spec: {
      nodeSelector: { 'example.com/none': 'none' },
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name: 'none',
          image: world.image,
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        },
      ],
    },
  };
}

function volumeOptions({ classes, random, wanted }: HostileWorld): ClaimOptions {
  const names = {
    'k8s.io/CloneRequest': keyToString(random.of(wanted)),
    'cdi.kubevirt.io/dataSourceNamespace': random.of(wanted).namespace,
    'cdi.kubevirt.io/storage.usePopulator': random.below(4) === 0 ? 'false' : 'true',
    'cdi.kubevirt.io/allowClaimAdoption': random.of(['true', 'false']),
    'cdi.kubevirt.io/storage.pod.serviceAccountName': random.of(['default', 'payroll-bot']),
    'cdi.kubevirt.io/storage.pod.retainAfterCompletion': random.of(['true', 'false']),
  };
  const annotations = Object.fromEntries(Object.entries(names).filter(() => random.below(2) === 0));
  const storageClassName = random.of([classes.standard, classes.standard, classes.firstConsumer ?? classes.standard]);
  return { size: MARKED_SIZE, storageClassName, annotations };
}

function ofDataSource(world: HostileWorld): DataVolume {
  const object = dataVolume(at(world, anyName(world)), undefined, volumeOptions(world));
  return { ...object, spec: { ...object.spec, sourceRef: { kind: 'DataSource', name: anyName(world) } } };
}

/** A uid of somebody's claim, or of none. */
const anyUid = ({ random, known }: HostileWorld) => random.of([...known.uids, '00000000-0000-4000-8000-000000000000']);

/** What is written over metadata, at random. */
function anyMetadata(world: HostileWorld): object {
  const { random, wanted } = world;
  const owner = { apiVersion: 'cdi.kubevirt.io/v1beta1', kind: 'DataVolume', name: anyName(world), uid: anyUid(world) };
  const annotation = random.of([
    'cdi.kubevirt.io/storage.pod.phase',
    'cdi.kubevirt.io/clonePhase',
    'cdi.kubevirt.io/cloneType',
    'cdi.kubevirt.io/clone.begunFor',
    'cdi.kubevirt.io/storage.populatedFor',
    'cdi.kubevirt.io/storage.import.source',
    'cdi.kubevirt.io/storage.import.endpoint',
    'cdi.kubevirt.io/storage.import.requiresScratch',
    'cdi.kubevirt.io/storage.bind.immediate.requested',
    'cdi.kubevirt.io/work.targetUID',
    'cdi.kubevirt.io/work.targetClaim',
    'k8s.io/CloneRequest',
    'cdi.kubevirt.io/dataSourceNamespace',
    'volume.kubernetes.io/selected-node',
    'pv.kubernetes.io/bind-completed',
  ]);
  const value = random.of([
    null,
    'true',
    'Succeeded',
    'Running',
    'Pending',
    'csi-clone',
    'copy',
    'blank',
    anyUid(world),
    anyName(world),
    keyToString(random.of(wanted)),
  ]);
  return random.of([
    { annotations: { [annotation]: value } },
    { annotations: { [annotation]: value } },
    { labels: { app: random.of(['containerized-data-importer', null]), 'cdi.kubevirt.io': 'cdi-clone-source' } },
    { ownerReferences: random.of([null, [{ ...owner, controller: random.below(2) === 0 }]]) },
    { finalizers: random.of([null, ['example.com/stays']]) },
  ]);
}

/** The kinds of what is tried, each by its own name. */
export const actions: Record<string, Action> = {
  'a DataVolume of an own DataSource with annotations': (world) =>
    world.client.create(dataVolumes, ofDataSource(world)),
  'a DataVolume of own data': (world) =>
    world.client.create(
      dataVolumes,
      dataVolume(at(world, anyName(world)), world.random.of([{ blank: {} }, { pvc: world.own }]), volumeOptions(world)),
    ),
  "a DataVolume of others' data": (world) =>
    world.client.create(
      dataVolumes,
      dataVolume(at(world, anyName(world)), { pvc: { ...world.random.of(world.wanted) } }, volumeOptions(world)),
    ),
  'a DataSource': (world) =>
    world.client.create(dataSources, {
      apiVersion: 'cdi.kubevirt.io/v1beta1',
      kind: 'DataSource',
      metadata: at(world, anyName(world)),
      spec: { source: { pvc: { ...world.random.of([world.own, world.own, ...world.wanted]) } } },
    }),
  'a VolumeCloneSource': (world) =>
    world.client.create(volumeCloneSources, {
      apiVersion: 'cdi.kubevirt.io/v1beta1',
      kind: 'VolumeCloneSource',
      metadata: {
        ...at(world, anyName(world)),
        ...(world.random.below(2) === 0
          ? { annotations: { 'cdi.kubevirt.io/dataSourceNamespace': world.random.of(world.wanted).namespace } }
          : {}),
      },
      spec: {
        source: { kind: 'PersistentVolumeClaim', name: world.random.of([world.own, ...world.wanted]).name },
      },
    }),
  'a claim with a request': (world) =>
    world.client.create(
      persistentVolumeClaims,
      claim(world, anyName(world), {
        metadata: {
          annotations: { 'k8s.io/CloneRequest': keyToString(world.random.of([world.own, ...world.wanted])) },
        },
      }),
    ),
  'a claim of a VolumeCloneSource': (world) =>
    world.client.create(
      persistentVolumeClaims,
      claim(world, anyName(world), {
        spec: { dataSourceRef: { apiGroup: 'cdi.kubevirt.io', kind: 'VolumeCloneSource', name: anyName(world) } },
      }),
    ),
  "a working claim of somebody's volume": async (world) => {
    const { random, client, known } = world;
    const name = random.of([primeClaimName, temporaryClaimName, temporarySourceClaimName])(anyUid(world));
    const volumeName = random.of(known.volumes);
    await client.create(persistentVolumeClaims, claim(world, name, { spec: { volumeName } }));
    const status = { phase: 'Bound', capacity: { storage: MARKED_SIZE } };
    await client.mergePatch(persistentVolumeClaims, at(world, name), { status }, { subresource: 'status' });
  },
  'a snapshot of a temporary name': (world) =>
    world.client.create(volumeSnapshots, {
      metadata: at(world, temporarySnapshotName(anyUid(world))),
      spec: { source: { persistentVolumeClaimName: world.own.name } },
    }),
  'a scratch claim': (world) =>
    world.client.create(persistentVolumeClaims, claim(world, scratchClaimName(anyName(world)))),
  'a transfer pod': (world) => {
    const name = world.random.of([importerPodName, uploadPodName])(anyName(world));
    const mark = { 'cdi.kubevirt.io/work.targetUID': anyUid(world) };
    return world.client.create(pods, pod(world, name, world.random.below(3) === 0 ? mark : {}));
  },
  'a Service of a copy': (world) =>
    world.client.create(services, {
      metadata: at(world, uploadServiceName(anyName(world))),
      spec: { selector: { app: 'other' }, ports: [{ port: 80 }] },
    }),
  'a Secret of a copy': (world) =>
    world.client.create(secrets, {
      metadata: at(world, transferSecretName(anyUid(world))),
      stringData: { 'ca.crt': '' },
    }),
  'the certificates of a proxy': (world) =>
    world.client.create(configMaps, { metadata: at(world, proxyCertificatesName(anyName(world))), data: {} }),
  'other metadata': async (world) => {
    const resource = world.random.of(ownResources);
    const object = await anyOwn(world, resource);
    const subresource = world.random.of([undefined, undefined, 'status']);
    if (!object) return;
    const patch = { metadata: anyMetadata(world) };
    await world.client.mergePatch(resource, keyOf(object), patch, subresource ? { subresource } : {});
  },
  'another status': async (world) => {
    const resource = world.random.of([persistentVolumeClaims, persistentVolumeClaims, dataVolumes, pods] as const);
    const object = await anyOwn(world, resource as typeof persistentVolumeClaims);
    if (!object) return;
    const phase = world.random.of(['Pending', 'Bound', 'Lost', 'Succeeded', 'Failed', 'Running']);
    const patch = { status: { phase } };
    await world.client.mergePatch(resource as typeof persistentVolumeClaims, keyOf(object), patch, {
      subresource: 'status',
    });
  },
  'a volume for a claim': async (world) => {
    const object = await anyOwn(world, persistentVolumeClaims);
    if (!object) return;
    const patch = { spec: { volumeName: world.random.of(world.known.volumes) } };
    await world.client.mergePatch(persistentVolumeClaims, keyOf(object), patch);
  },
  'no more of an object': async (world) => {
    const resource = world.random.of(ownResources);
    const object = await anyOwn(world, resource);
    if (object && keyToString(keyOf(object)) !== keyToString(world.own)) {
      await world.client.delete(resource, keyOf(object), world.random.of([{}, { gracePeriodSeconds: 0 }]));
    }
  },
};
