import { userAnnotation } from '../../../../src/api/annotations.ts';
import { cdis } from '../../../../src/api/cdi.ts';
import { type CloneType, cloneTypes } from '../../../../src/api/clone.ts';
import { dataVolumes, type DataVolumeSpec } from '../../../../src/api/data-volume.ts';
import { CDI_API_VERSION } from '../../../../src/api/group.ts';
import {
  AnnouncedServices,
  metadataRights,
  snapshotMetadataServices,
} from '../../../../src/controllers/changed-blocks/metadata-services.ts';
import { releaseVolumeOf } from '../../../../src/controllers/claims/disposal/release-volume.ts';
import { SELECTED_NODE_ANNOTATION } from '../../../../src/controllers/claims/wait-for-first-consumer.ts';
import { METRICS_ACCESS } from '../../../../src/controllers/monitoring/metrics-endpoint.ts';
import { monitoring } from '../../../../src/controllers/monitoring/setup.ts';
import {
  configMaps,
  namespaces,
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
} from '../../../../src/kube/builtin-resources.ts';
import type { KubeClient } from '../../../../src/kube/client.ts';
import { toError } from '../../../../src/kube/errors.ts';
import { TokenAccess } from '../../../../src/kube/token-access.ts';
import { message, reply, serveMetadata } from '../../../support/snapshot-metadata/metadata-server.ts';
import { Rig } from '../data-import-cron/rig.ts';
import { act, type Annotations } from './actions.ts';
import { SimulatedApi } from './api.ts';
import { type Authorize, SimulatedClient } from './client.ts';
import { STORAGE_CLASS, TEAM } from './installation.ts';
import { InstallationControllers } from './installation-controllers.ts';
import { LaggingCaches } from './lagging-caches.ts';
import { type Pace, World } from './world.ts';
import { DISK } from './writings.ts';

/** Who watches over a scenario. */
export interface Watch {
  readonly authorize: Authorize;
  readonly onFailure: (failure: Error) => void;
}
export type Scenario = (watch: Watch) => Promise<void>;

const own = { namespace: TEAM, name: 'own' };
const golden = { namespace: 'golden', name: 'fedora' };
const fills: readonly Partial<DataVolumeSpec>[] = [{ source: { blank: {} } }, { source: { upload: {} } }];
const clones: readonly Partial<DataVolumeSpec>[] = [
  { source: { pvc: own } },
  { source: { snapshot: own } },
  { source: { pvc: golden } },
  { source: { snapshot: golden } },
  { sourceRef: { kind: 'DataSource', namespace: 'golden', name: 'latest' } },
];
const directly: Annotations = { [userAnnotation.usePopulator]: 'false' };
const paces: readonly Pace[] = ['even', 'late watches', 'late Kubernetes'];
/** Enough for whatever is under way to come to its end. */
const ROUNDS = 18;

async function create(world: World, spec: Partial<DataVolumeSpec>, annotations: Annotations = {}): Promise<void> {
  await act(world, { make: 'data-volume', name: DISK, annotations, owners: [], spec }, { user: 'author' });
  world.law.rightful.add(`datavolume.${TEAM}.${DISK}.1`);
}

/** A DataVolume comes to its end, or only so far, and is deleted. */
const life =
  (spec: Partial<DataVolumeSpec>, cloneStrategy: CloneType, annotations: Annotations, pace: Pace): Scenario =>
  async (watch) => {
    const rounds = pace === 'even' ? ROUNDS : 5;
    const world = await World.of({ cloneStrategy, hasAnnotationPolicy: true, ...watch });
    await create(world, spec, annotations);
    for (let round = 0; round < rounds; round++) await world.round(round % 2 ? 'even' : pace);
    await act(world, { delete: DISK, kind: 'data-volume' });
    await act(world, { rounds: ROUNDS });
  };

/** The namespace of the source is older than the DataVolume, and the source is not. */
const awaitedSource: Scenario = async (watch) => {
  const world = await World.of({ cloneStrategy: 'copy', hasAnnotationPolicy: true, ...watch });
  world.api.create('cluster', namespaces, { metadata: { name: golden.namespace } });
  await world.round();
  await create(world, { source: { pvc: { ...golden, name: 'later' } } });
  await world.round();
  world.api.create('cluster', persistentVolumeClaims, {
    metadata: { ...golden, name: 'later' },
    spec: {
      accessModes: ['ReadWriteOnce'],
      storageClassName: STORAGE_CLASS,
      resources: { requests: { storage: '1Gi' } },
    },
  });
  await act(world, { rounds: ROUNDS });
};

/** A pod that is to use the clone has its node, and the source is reached from some nodes only. */
const sourceOfSomeNodes: Scenario = async (watch) => {
  const world = await World.of({ cloneStrategy: 'csi-clone', hasAnnotationPolicy: true, ...watch });
  const required = {
    nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'In', values: ['a'] }] }],
  };
  world.api.create('cluster', nodes, { metadata: { name: 'node', labels: { zone: 'a' } } });
  const volume = world.data.volumeOf(own);
  world.api.change('cluster', persistentVolumes, { namespace: '', name: volume?.metadata?.name ?? '' }, (found) => ({
    ...found,
    spec: { ...found.spec, nodeAffinity: { required } },
  }));
  await create(world, { source: { pvc: own } }, { [SELECTED_NODE_ANNOTATION]: 'node' });
  await act(world, { rounds: 1, pace: 'late Kubernetes' });
  await act(world, { annotate: DISK, kind: 'claim', annotations: { [SELECTED_NODE_ANNOTATION]: 'node' } });
  await act(world, { rounds: ROUNDS });
};

/** The import goes by a proxy that asks for a login, and whose authority is the cluster's own. */
const importByProxy: Scenario = async (watch) => {
  const world = await World.of({ cloneStrategy: 'copy', hasAnnotationPolicy: true, ...watch });
  const importProxy = { HTTPProxy: 'http://user:password@proxy.example', trustedCAProxy: 'authority' };
  world.api.create('cluster', cdis, {
    apiVersion: CDI_API_VERSION,
    kind: 'CDI',
    metadata: { name: 'cdi' },
    spec: { config: { importProxy } },
  });
  world.api.create('cluster', configMaps, { metadata: { namespace: 'cdi', name: 'authority' }, data: {} });
  await create(world, { source: { http: { url: 'http://server.example/disk.img' } } });
  await act(world, { rounds: ROUNDS });
};

/** A disk is imported in stages, the last of which becomes known only when the first is complete. */
const importInStages: Scenario = async (watch) => {
  const world = await World.of({ cloneStrategy: 'copy', hasAnnotationPolicy: true, ...watch });
  const source = { imageio: { url: 'https://engine.example/ovirt-engine/api', diskId: 'disk', secretRef: 'engine' } };
  const first = { previous: '', current: 'snapshot-1' };
  await create(world, { source, checkpoints: [first] });
  await act(world, { rounds: ROUNDS });
  const last = { previous: first.current, current: 'snapshot-2' };
  world.api.change('author', dataVolumes, { namespace: TEAM, name: DISK }, (dataVolume) => ({
    ...dataVolume,
    spec: { ...dataVolume.spec, checkpoints: [first, last], finalCheckpoint: true },
  }));
  await act(world, { rounds: ROUNDS });
};

/** What a claim is labelled with is to be seen on the DataSource that stands for it. */
const labelledSource: Scenario = async (watch) => {
  const world = await World.of({ cloneStrategy: 'copy', hasAnnotationPolicy: true, ...watch });
  const labels = { 'instancetype.kubevirt.io/default-preference': 'fedora' };
  world.api.change('cluster', persistentVolumeClaims, golden, (claim) => ({
    ...claim,
    metadata: { ...claim.metadata, labels },
  }));
  await act(world, { rounds: 2 });
};

/** A golden image is imported, and replaced by the next one, with the caches behind or not. */
const freshImages =
  (format: 'pvc' | 'snapshot', pace: Pace): Scenario =>
  async (watch) => {
    const rig = await Rig.of({ format, ...watch });
    rig.create({ importsToKeep: 1, retentionPolicy: 'None' });
    for (const version of [1, 2]) {
      rig.publish(version);
      for (let round = 0; round < ROUNDS; round++) await rig.world.round(round % 2 ? 'even' : pace);
    }
  };

/** From the first start of the controllers until every certificate and key has been replaced. */
const installation: Scenario = async ({ authorize, onFailure }) => {
  const controllers = new InstallationControllers(authorize, onFailure);
  await controllers.pass(4, 1_000);
  controllers.isBlind = true;
  await controllers.pass(1, 1_000);
  controllers.isBlind = false;
  controllers.configure({
    config: { uploadProxyURLOverride: 'https://upload.example', preallocation: true },
    priorityClass: 'important',
    uninstallStrategy: 'BlockUninstallIfWorkloadsExist',
    customizeComponents: {
      patches: [
        { resourceType: 'Service', resourceName: '*', type: 'merge', patch: '{"metadata":{"labels":{"a":"b"}}}' },
      ],
    },
  });
  await controllers.pass(4, 12 * 3_600_000);
};

/** The cache knows the claim, but not its volume yet. */
const volumeNotCached: Scenario = async ({ authorize, onFailure }) => {
  const api = new SimulatedApi(
    () => undefined,
    () => 0,
  );
  const { caches } = new LaggingCaches(api);
  api.create('cluster', persistentVolumes, { metadata: { name: 'volume' } });
  const client = new SimulatedClient(api, 'controllers', { authorize }).asKubeClient();
  const claim = { metadata: { ...own }, spec: { volumeName: 'volume' } };
  await releaseVolumeOf({ client, caches }, claim).catch(onFailure);
};

/** Somebody who may asks for the metrics. */
const metricsRead: Scenario = async ({ authorize, onFailure }) => {
  const api = new SimulatedApi(
    () => undefined,
    () => 0,
  );
  const client = new SimulatedClient(api, 'controllers', { rights: monitoring.rights, authorize }).asKubeClient();
  const create: KubeClient['create'] = async (resource, object) => ({
    ...(await client.create(resource, { ...object, metadata: { name: 'review' } })),
    status: { authenticated: true, user: { username: 'prometheus' }, allowed: true },
  });
  await new TokenAccess({ create }, METRICS_ACCESS).decide('token').catch(onFailure);
};

/** A CSI driver is asked about the blocks of a snapshot. */
const blocksAsked: Scenario = async ({ authorize, onFailure }) => {
  const server = await serveMetadata((stream) => reply(stream, message(4096, [0, 4096])));
  const api = new SimulatedApi(
    () => undefined,
    () => 0,
  );
  const caCert = Buffer.from(server.certificates).toString('base64');
  const metadata = { name: 'csi.test' };
  api.create('cluster', snapshotMetadataServices, {
    metadata,
    spec: { audience: 'blocks', address: server.address, caCert },
  });
  const client = new SimulatedClient(api, 'controllers', { rights: metadataRights, authorize }).asKubeClient();
  const services = new AnnouncedServices({ client, config: { namespace: 'cdi' } });
  try {
    const service = await services.open(metadata.name);
    await service?.allocated(own, 4096, AbortSignal.timeout(20_000)).finally(() => service.close());
  } catch (error) {
    onFailure(toError(error));
  } finally {
    server.stop();
  }
};

/** Whatever the controllers are there for: between them, the scenarios need all of their rights. */
export const scenarios: readonly Scenario[] = [
  installation,
  awaitedSource,
  sourceOfSomeNodes,
  importByProxy,
  importInStages,
  labelledSource,
  metricsRead,
  blocksAsked,
  volumeNotCached,
  ...paces.flatMap((pace) => [freshImages('pvc', pace), freshImages('snapshot', pace)]),
  ...fills.flatMap((spec) => paces.map((pace) => life(spec, 'copy', {}, pace))),
  ...clones.flatMap((spec) => cloneTypes.flatMap((type) => paces.map((pace) => life(spec, type, {}, pace)))),
  ...[...fills, { source: { pvc: golden } }].map((spec) => life(spec, 'copy', directly, 'even')),
];
