import fc from 'fast-check';
import { stateAnnotation, userAnnotation } from '../../../../src/api/annotations.ts';
import { finalizer } from '../../../../src/api/finalizers.ts';
import type { Action, Annotations } from './actions.ts';
import { FREE_VOLUME, TEAM } from './installation.ts';
import { controllerNames, type Pace } from './world.ts';
import {
  annotations,
  claims,
  cloneSources,
  DISK,
  elsewhere,
  FOREIGN_UID,
  importSources,
  owners,
  podNames,
  secretNames,
  snapshots,
  someOf,
  uploadSources,
  workingClaims,
} from './writings.ts';

const dataVolumeSpec: fc.Arbitrary<Beginning['spec']> = fc.oneof(
  fc.constant({ source: { blank: {} } }),
  fc.constant({ source: { upload: {} } }),
  fc.constant({ source: { http: { url: 'http://server/disk.img' } } }),
  fc.boolean().map((finalCheckpoint) => ({
    source: {
      imageio: {
        url: 'https://engine/ovirt-engine/api',
        diskId: 'disk',
        secretRef: 'engine',
        insecureSkipVerify: true,
      },
    },
    checkpoints: [
      { previous: '', current: 'first' },
      { previous: 'first', current: 'second' },
    ],
    finalCheckpoint,
  })),
  elsewhere.map((pvc) => ({ source: { pvc } })),
  elsewhere.map((snapshot) => ({ source: { snapshot } })),
  fc.constantFrom('latest', 'chain').map((name) => ({ sourceRef: { kind: 'DataSource' as const, name } })),
  fc.constant({ sourceRef: { kind: 'DataSource' as const, namespace: 'golden', name: 'latest' } }),
);
const cloned = fc.constantFrom('PersistentVolumeClaim', 'VolumeSnapshot');

/** Something that is made, with a name of the controllers' own perhaps. */
export const plant: fc.Arbitrary<Action> = fc.oneof(
  { arbitrary: fc.record({ make: fc.constant('claim' as const), name: claims, annotations, owners }), weight: 4 },
  {
    arbitrary: fc.record({
      make: fc.constant('claim' as const),
      name: claims,
      annotations,
      owners,
      from: fc.oneof(
        cloneSources.map((name) => ({ kind: 'VolumeCloneSource', name })),
        importSources.map((name) => ({ kind: 'VolumeImportSource', name })),
        uploadSources.map((name) => ({ kind: 'VolumeUploadSource', name })),
      ),
    }),
    weight: 3,
  },
  fc.record({
    make: fc.constant('data-volume' as const),
    name: claims,
    annotations,
    owners: fc.constant([]),
    spec: dataVolumeSpec,
  }),
  {
    arbitrary: fc.record({
      make: fc.constant('clone-source' as const),
      name: cloneSources,
      annotations,
      owners,
      kind: cloned,
      of: someOf('secret', 'fedora', 'own', 'other'),
    }),
    weight: 3,
  },
  fc.record({ make: fc.constant('import-source' as const), name: importSources, annotations, owners }),
  fc.record({ make: fc.constant('upload-source' as const), name: uploadSources, annotations, owners }),
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
      content: fc.constant('snapcontent-volumesnapshot.victim.secret.1'),
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
  fc.record({ make: fc.constant('secret' as const), name: secretNames, annotations, owners }),
);

/** Something that is changed, also of what the controllers made. */
const change: fc.Arbitrary<Action> = fc.oneof(
  { arbitrary: fc.record({ annotate: workingClaims, kind: fc.constant('claim' as const), annotations }), weight: 6 },
  fc.record({ annotate: claims, kind: fc.constant('claim' as const), annotations }),
  fc.record({ annotate: cloneSources, kind: fc.constant('clone-source' as const), annotations }),
  fc.record({ annotate: podNames, kind: fc.constant('pod' as const), annotations }),
  fc.record({ disown: claims, owners }),
  fc.record({
    hold: claims,
    finalizers: fc.subarray([finalizer.clonePopulator, finalizer.cloneSource, 'tenant.example/hold']),
  }),
  {
    arbitrary: fc.record({
      forge: workingClaims,
      volumeName: someOf(`pv-${FOREIGN_UID}`, 'pv-persistentvolumeclaim.golden.fedora.1', FREE_VOLUME),
      annotations: fc.oneof(annotations, fc.constant({ [stateAnnotation.podPhase]: 'Succeeded' })),
    }),
    weight: 3,
  },
  fc.record({ succeed: someOf(DISK, 'other') }),
  fc.oneof(
    fc.record({ delete: claims, kind: fc.constantFrom('claim' as const, 'data-volume' as const) }),
    fc.record({ delete: cloneSources, kind: fc.constant('clone-source' as const) }),
    fc.record({ delete: snapshots, kind: fc.constant('snapshot' as const) }),
    fc.record({ delete: podNames, kind: fc.constant('pod' as const) }),
  ),
);

const pace = fc.constantFrom<Pace>('even', 'late watches', 'late watches of others', 'late Kubernetes');

/** Time that passes. The tenant may have been faster than the watches. */
export const passing: fc.Arbitrary<Action> = fc.oneof(
  {
    arbitrary: fc.record({
      rounds: fc.integer({ min: 1, max: 4 }),
      pace,
    }),
    weight: 4,
  },
  { arbitrary: fc.record({ work: fc.constantFrom(...controllerNames), on: claims }), weight: 1 },
  { arbitrary: fc.constant({ restart: true as const }), weight: 1 },
);

/** In the middle of what the controllers do. */
const meanwhile: fc.Arbitrary<Action> = fc.record({
  meanwhile: fc.oneof(plant, change),
  afterRequests: fc.nat(12),
});

/** What the tenant does, and time that passes, perhaps at once. */
export const history: fc.Arbitrary<Action[]> = fc
  .array(
    fc.oneof(
      { arbitrary: fc.tuple(plant), weight: 2 },
      { arbitrary: fc.tuple(change), weight: 2 },
      { arbitrary: fc.tuple(plant, passing), weight: 2 },
      { arbitrary: fc.tuple(change, passing), weight: 3 },
      { arbitrary: fc.tuple(meanwhile, passing), weight: 3 },
      { arbitrary: fc.tuple(passing), weight: 2 },
    ),
    { maxLength: 10, size: 'max' },
  )
  .map((steps) => steps.flat());

/** How the tenant begins: with a DataVolume, which has come so far. */
export interface Beginning {
  readonly spec: Extract<Action, { make: 'data-volume' }>['spec'];
  readonly annotations: Annotations;
  readonly rounds: number;
  readonly pace?: Pace;
}

export const beginning: fc.Arbitrary<Beginning> = fc.record({
  spec: fc.oneof(
    {
      arbitrary: fc.constantFrom<Beginning['spec']>(
        { source: { blank: {} } },
        { source: { upload: {} } },
        { source: { pvc: { namespace: TEAM, name: 'own' } } },
        { source: { snapshot: { namespace: TEAM, name: 'own' } } },
      ),
      weight: 4,
    },
    { arbitrary: dataVolumeSpec, weight: 1 },
  ),
  annotations: fc.constantFrom<Annotations>({}, { [userAnnotation.usePopulator]: 'false' }),
  rounds: fc.integer({ min: 0, max: 5 }),
  pace: fc.constantFrom<Pace>('even', 'late Kubernetes'),
});
