import fc from 'fast-check';
import { populationAnnotation, stateAnnotation, userAnnotation } from '../../../../src/api/annotations.ts';
import { cloneTypes } from '../../../../src/api/clone.ts';
import { finalizer } from '../../../../src/api/finalizers.ts';
import { CDI_API_VERSION } from '../../../../src/api/group.ts';
import {
  cloneSourcePodName,
  importerPodName,
  mountingPodName,
  primeClaimName,
  scratchClaimName,
  temporaryClaimName,
  temporarySnapshotName,
  temporarySourceClaimName,
  transferSecretName,
  uploadPodName,
} from '../../../../src/api/object-names.ts';
import {
  cloneBegunAnnotation,
  workForAnnotation,
  workForClaimAnnotation,
  workSourceUidAnnotation,
} from '../../../../src/controllers/internal-annotations.ts';
import type { OwnerReference } from '../../../../src/kube/resource.ts';
import type { Action, Annotations } from './actions.ts';
import { TEAM } from './installation.ts';
import { controllerNames } from './world.ts';

/** Uids say whose they are, and can be guessed: a tenant of this world knows more than one of a real cluster. */
const uidOf = (kind: string, name: string) => `${kind}.${TEAM}.${name}.1`;

/** The DataVolume, and the claim, that the tenant begins with. */
export const DISK = 'disk';
const DISK_UID = uidOf('persistentvolumeclaim', DISK);
const PRIME = primeClaimName(DISK_UID);
const TEMPORARY = temporaryClaimName(DISK_UID);
const FOREIGN_UID = 'persistentvolumeclaim.victim.secret.1';

const someOf = <T extends string>(...values: T[]) => fc.constantFrom(...values);

const claims = someOf(
  DISK,
  PRIME,
  TEMPORARY,
  temporarySourceClaimName(DISK_UID),
  scratchClaimName(DISK),
  scratchClaimName(PRIME),
  'own',
  'other',
);
const secretsNames = someOf(
  transferSecretName(DISK_UID),
  transferSecretName(uidOf('persistentvolumeclaim', TEMPORARY)),
);
const podNames = someOf(
  importerPodName(DISK),
  importerPodName(PRIME),
  uploadPodName(DISK),
  uploadPodName(TEMPORARY),
  cloneSourcePodName(DISK_UID),
  mountingPodName(uidOf('persistentvolumeclaim', TEMPORARY)),
);
const snapshots = someOf(temporarySnapshotName(DISK_UID), 'own', 'other');
const cloneSources = someOf('source', `volume-clone-source-${uidOf('datavolume', DISK)}`);
const importSources = someOf('image', `volume-import-source-${uidOf('datavolume', DISK)}`);

const elsewhere = fc.constantFrom(
  { namespace: 'victim', name: 'secret' },
  { namespace: 'golden', name: 'fedora' },
  { namespace: TEAM, name: 'own' },
);
const request = elsewhere.map(({ namespace, name }) => `${namespace}/${name}`);
const phase = someOf('Succeeded', 'Failed', 'Running', 'Pending');

/** One annotation, or two that make a difference only together. */
const annotation: fc.Arbitrary<Annotations> = fc.oneof(
  { arbitrary: request.map((value) => ({ [populationAnnotation.cloneRequest]: value })), weight: 3 },
  {
    arbitrary: request.map((value) => ({
      [populationAnnotation.cloneRequest]: value,
      [stateAnnotation.podPhase]: 'Succeeded',
    })),
    weight: 3,
  },
  { arbitrary: elsewhere.map(({ namespace }) => ({ [stateAnnotation.dataSourceNamespace]: namespace })), weight: 3 },
  fc.option(phase).map((value) => ({ [stateAnnotation.podPhase]: value })),
  someOf('Succeeded', 'Error', 'Pending').map((value) => ({ [stateAnnotation.clonePhase]: value })),
  fc
    .constantFrom(...cloneTypes)
    .map((value) => ({ [cloneBegunAnnotation]: DISK_UID, [stateAnnotation.cloneType]: value })),
  fc.constant({ [populationAnnotation.importSource]: 'none' }),
  fc.constant({ [populationAnnotation.importEndpoint]: 'http://server/disk.img' }),
  fc.constant({ [stateAnnotation.requiresScratch]: 'true' }),
  fc.constant({ [stateAnnotation.populatedFor]: DISK }),
  fc.constant({ [userAnnotation.usePopulator]: 'false' }),
  fc.constant({ [userAnnotation.allowClaimAdoption]: 'true' }),
  someOf(FOREIGN_UID, DISK_UID).map((value) => ({ [workForAnnotation]: value })),
  fc.constant({ [workForAnnotation]: null }),
  fc.constant({ [workForClaimAnnotation]: 'victim/secret' }),
  fc.constant({ [workSourceUidAnnotation]: FOREIGN_UID }),
);
const annotations = fc.array(annotation, { maxLength: 3 }).map((all): Annotations => Object.assign({}, ...all));

const owner = (apiVersion: string, kind: string, name: string, uid: string): OwnerReference => {
  return { apiVersion, kind, name, uid, controller: true };
};
const owners = fc.array(
  fc.constantFrom(
    owner(CDI_API_VERSION, 'DataVolume', DISK, uidOf('datavolume', DISK)),
    owner('v1', 'PersistentVolumeClaim', DISK, DISK_UID),
    owner('v1', 'PersistentVolumeClaim', 'secret', FOREIGN_UID),
    owner(CDI_API_VERSION, 'DataVolume', 'nowhere', 'invented'),
  ),
  { maxLength: 1 },
);

const dataVolumeSpec: fc.Arbitrary<Extract<Action, { make: 'data-volume' }>['spec']> = fc.oneof(
  fc.constant({ source: { blank: {} } }),
  fc.constant({ source: { http: { url: 'http://server/disk.img' } } }),
  elsewhere.map((pvc) => ({ source: { pvc } })),
  elsewhere.map((snapshot) => ({ source: { snapshot } })),
  fc.constantFrom('latest', 'chain').map((name) => ({ sourceRef: { kind: 'DataSource' as const, name } })),
  fc.constant({ sourceRef: { kind: 'DataSource' as const, namespace: 'golden', name: 'latest' } }),
);
const cloned = fc.constantFrom('PersistentVolumeClaim', 'VolumeSnapshot');

/** Something that is made, with a name of the controllers' own perhaps. */
export const plant: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ make: fc.constant('claim' as const), name: claims, annotations, owners }),
  fc.record({
    make: fc.constant('claim' as const),
    name: claims,
    annotations,
    owners,
    from: fc.oneof(
      cloneSources.map((name) => ({ kind: 'VolumeCloneSource', name })),
      importSources.map((name) => ({ kind: 'VolumeImportSource', name })),
    ),
  }),
  fc.record({
    make: fc.constant('data-volume' as const),
    name: claims,
    annotations,
    owners: fc.constant([]),
    spec: dataVolumeSpec,
  }),
  fc.record({
    make: fc.constant('clone-source' as const),
    name: cloneSources,
    annotations,
    owners,
    kind: cloned,
    of: someOf('secret', 'fedora', 'own'),
  }),
  fc.record({ make: fc.constant('import-source' as const), name: importSources, annotations, owners }),
  fc.record({
    make: fc.constant('data-source' as const),
    name: someOf('latest', 'chain'),
    annotations: fc.constant({}),
    owners: fc.constant([]),
    source: fc.oneof(
      elsewhere.map((pvc) => ({ pvc })),
      elsewhere.map((snapshot) => ({ snapshot })),
      someOf(TEAM, 'golden').map((namespace) => ({ dataSource: { namespace, name: 'latest' } })),
    ),
  }),
  fc.record(
    {
      make: fc.constant('snapshot' as const),
      name: snapshots,
      annotations,
      owners,
      of: claims,
      content: fc.constant('content-volumesnapshot.victim.secret.1'),
    },
    { requiredKeys: ['make', 'name', 'annotations', 'owners', 'of'] },
  ),
  fc.record({
    make: fc.constant('pod' as const),
    name: podNames,
    annotations,
    owners,
    mounts: claims,
    role: someOf('importer', 'cdi-clone-source', 'cdi-upload-server'),
  }),
  fc.record({ make: fc.constant('service' as const), name: podNames, annotations, owners }),
  fc.record({ make: fc.constant('secret' as const), name: secretsNames, annotations, owners }),
);

/** Something that is changed, also of what the controllers made. */
const change: fc.Arbitrary<Action> = fc.oneof(
  { arbitrary: fc.record({ annotate: claims, kind: fc.constant('claim' as const), annotations }), weight: 5 },
  fc.record({ annotate: cloneSources, kind: fc.constant('clone-source' as const), annotations }),
  fc.record({ annotate: podNames, kind: fc.constant('pod' as const), annotations }),
  fc.record({ disown: claims, owners }),
  fc.record({
    hold: claims,
    finalizers: fc.subarray([finalizer.clonePopulator, finalizer.cloneSource, 'tenant.example/hold']),
  }),
  fc.record({ forge: claims, volumeName: someOf(`pv-${FOREIGN_UID}`, 'pv-persistentvolumeclaim.golden.fedora.1') }),
  fc.record({ succeed: someOf(DISK, 'other') }),
  fc.oneof(
    fc.record({ delete: claims, kind: fc.constantFrom('claim' as const, 'data-volume' as const) }),
    fc.record({ delete: cloneSources, kind: fc.constant('clone-source' as const) }),
    fc.record({ delete: snapshots, kind: fc.constant('snapshot' as const) }),
    fc.record({ delete: podNames, kind: fc.constant('pod' as const) }),
  ),
);

/** Time that passes. The tenant may have been faster than the watches. */
export const passing: fc.Arbitrary<Action> = fc.oneof(
  { arbitrary: fc.record({ rounds: fc.integer({ min: 1, max: 4 }), isFirstUnseen: fc.boolean() }), weight: 4 },
  { arbitrary: fc.record({ work: fc.constantFrom(...controllerNames), on: claims }), weight: 1 },
  { arbitrary: fc.constant({ restart: true as const }), weight: 1 },
);

export const tenantAction: fc.Arbitrary<Action> = fc.oneof(
  { arbitrary: plant, weight: 3 },
  { arbitrary: change, weight: 4 },
  { arbitrary: passing, weight: 4 },
);

/** How the tenant begins: with a DataVolume, which has come so far. */
export const beginning = fc.record({
  spec: dataVolumeSpec,
  annotations: fc.constantFrom<Annotations>({}, { [userAnnotation.usePopulator]: 'false' }),
  rounds: fc.integer({ min: 0, max: 6 }),
});
