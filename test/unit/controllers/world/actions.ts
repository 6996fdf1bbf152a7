import { dataSources, type DataSourceSource } from '../../../../src/api/data-source.ts';
import { type DataVolume, dataVolumes } from '../../../../src/api/data-volume.ts';
import { CDI_API_VERSION, CDI_GROUP } from '../../../../src/api/group.ts';
import { POD_ROLE_LABEL } from '../../../../src/api/labels.ts';
import { volumeCloneSources } from '../../../../src/api/volume-clone-source.ts';
import { volumeImportSources } from '../../../../src/api/volume-import-source.ts';
import { volumeUploadSources } from '../../../../src/api/volume-upload-source.ts';
import { persistentVolumeClaims, pods, secrets, services } from '../../../../src/kube/builtin-resources.ts';
import { ApiError } from '../../../../src/kube/errors.ts';
import type { KubeObject, OwnerReference, Resource } from '../../../../src/kube/resource.ts';
import { volumeSnapshots } from '../../../../src/kube/snapshot-resources.ts';
import type { User } from './api.ts';
import { SimulatedClient } from './client.ts';
import { STORAGE_CLASS, TEAM } from './installation.ts';
import type { ControllerName, Pace, World } from './world.ts';

export type Annotations = Readonly<Record<string, string | null>>;
type Written = { readonly name: string; readonly annotations: Annotations; readonly owners: readonly OwnerReference[] };

/** What may happen next, as data that a counter-example shows. */
export type Action =
  | ({ readonly make: 'claim'; readonly from?: { readonly kind: string; readonly name: string } } & Written)
  | ({ readonly make: 'data-volume'; readonly spec: Partial<DataVolume['spec']> } & Written)
  | ({ readonly make: 'clone-source'; readonly kind: string; readonly of: string } & Written)
  | ({ readonly make: 'import-source' | 'upload-source' } & Written)
  | ({ readonly make: 'data-source'; readonly source: DataSourceSource } & Written)
  | ({ readonly make: 'snapshot'; readonly of: string; readonly content?: string } & Written)
  | ({ readonly make: 'pod'; readonly mounts: string; readonly role: string; readonly runs?: boolean } & Written)
  | ({ readonly make: 'service' | 'secret' } & Written)
  | { readonly annotate: string; readonly kind: 'claim' | 'clone-source' | 'pod'; readonly annotations: Annotations }
  | { readonly disown: string; readonly owners: readonly OwnerReference[] }
  | { readonly hold: string; readonly finalizers: readonly string[] }
  | { readonly forge: string; readonly volumeName: string; readonly annotations: Annotations }
  | { readonly succeed: string }
  | { readonly delete: string; readonly kind: 'claim' | 'data-volume' | 'clone-source' | 'snapshot' | 'pod' }
  | { readonly meanwhile: Action; readonly afterRequests: number }
  | { readonly rounds: number; readonly pace?: Pace }
  | { readonly work: ControllerName; readonly on: string }
  | { readonly restart: true };

const RESOURCES: Readonly<Record<Extract<Action, { make: unknown }>['make'], Resource<KubeObject>>> = {
  claim: persistentVolumeClaims,
  'data-volume': dataVolumes,
  'clone-source': volumeCloneSources,
  'import-source': volumeImportSources,
  'upload-source': volumeUploadSources,
  'data-source': dataSources,
  snapshot: volumeSnapshots,
  pod: pods,
  service: services,
  secret: secrets,
};

export interface Actor {
  readonly user?: User;
  /** Whether what is made may take the place of something that there is. */
  readonly replaces?: boolean;
}

/** Does what an action says, as far as the API lets the user. */
export async function act(world: World, action: Action, actor: Actor = {}): Promise<void> {
  const { user = 'tenant', replaces = true } = actor;
  if ('rounds' in action) {
    for (let round = 0; round < action.rounds; round++) {
      await world.round(action.pace);
    }
    return;
  }
  if ('meanwhile' in action) return world.interrupt(action.afterRequests, () => act(world, action.meanwhile, actor));
  if ('restart' in action) return world.restart();
  if ('work' in action) return world.work(action.work, { namespace: TEAM, name: action.on });
  if ('make' in action && !replaces && isThere(world, action)) return;
  try {
    await write(world, new SimulatedClient(world.api, user), action);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
  }
}

type WritingAction = Exclude<
  Action,
  { meanwhile: Action } | { rounds: number } | { restart: true } | { work: ControllerName }
>;

async function write(world: World, client: SimulatedClient, action: WritingAction): Promise<void> {
  const patch = (resource: Resource<KubeObject>, name: string, changes: object) =>
    client.mergePatch(resource, { namespace: TEAM, name }, changes);
  if ('annotate' in action) {
    await patch(RESOURCES[action.kind], action.annotate, { metadata: { annotations: action.annotations } });
  } else if ('disown' in action) {
    await patch(persistentVolumeClaims, action.disown, { metadata: { ownerReferences: action.owners } });
  } else if ('hold' in action) {
    await patch(persistentVolumeClaims, action.hold, { metadata: { finalizers: action.finalizers } });
  } else if ('forge' in action) {
    const { volumeName, annotations } = action;
    const status = { phase: 'Bound', capacity: { storage: '1Gi' } };
    await patch(persistentVolumeClaims, action.forge, { metadata: { annotations }, spec: { volumeName }, status });
  } else if ('succeed' in action) {
    await patch(dataVolumes, action.succeed, { status: { phase: 'Succeeded' } });
  } else if ('delete' in action) {
    await client.delete(RESOURCES[action.kind], { namespace: TEAM, name: action.delete });
  } else {
    await make(world, client, action);
  }
}

/** Makes an object, or where there is one of its name, makes it so. */
async function make(world: World, client: SimulatedClient, action: Extract<Action, { make: unknown }>): Promise<void> {
  const resource = RESOURCES[action.make];
  const { name, owners } = action;
  const given = Object.entries(action.annotations).filter((entry): entry is [string, string] => entry[1] !== null);
  const object = {
    metadata: {
      namespace: TEAM,
      name,
      annotations: Object.fromEntries(given),
      ...(owners.length > 0 && { ownerReferences: [...owners] }),
      ...('role' in action && { labels: { [POD_ROLE_LABEL]: action.role } }),
    },
    ...contentOf(action),
  };
  if (isThere(world, action)) await client.mergePatch(resource, { namespace: TEAM, name }, object);
  else await client.create(resource, object);
}

function isThere({ api }: World, { make: kind, name }: Extract<Action, { make: unknown }>): boolean {
  return api.find(RESOURCES[kind], { namespace: TEAM, name }) !== undefined;
}

function contentOf(action: Extract<Action, { make: unknown }>): object {
  switch (action.make) {
    case 'claim':
      return { spec: { ...claimSpec, ...(action.from && { dataSourceRef: { apiGroup: CDI_GROUP, ...action.from } }) } };
    case 'data-volume':
      return { apiVersion: CDI_API_VERSION, spec: { pvc: claimSpec, ...action.spec } };
    case 'clone-source':
      return { spec: { source: { kind: action.kind, name: action.of } } };
    case 'import-source':
      return { spec: { source: { blank: {} } } };
    case 'upload-source':
      return { spec: {} };
    case 'data-source':
      return { spec: { source: action.source } };
    case 'snapshot':
      return {
        spec: { source: { persistentVolumeClaimName: action.of } },
        ...(action.content && { status: { readyToUse: true, boundVolumeSnapshotContentName: action.content } }),
      };
    case 'pod':
      return podOf(action.mounts, action.runs ?? false);
    case 'service':
    case 'secret':
      return {};
  }
}

const claimSpec = {
  accessModes: ['ReadWriteOnce' as const],
  storageClassName: STORAGE_CLASS,
  resources: { requests: { storage: '1Gi' } },
};

function podOf(claimName: string, runs: boolean): object {
  return {
    spec: { containers: [{ name: 'any' }], volumes: [{ name: 'data', persistentVolumeClaim: { claimName } }] },
    status: {
      phase: runs ? 'Pending' : 'Succeeded',
      containerStatuses: [{ name: 'any', state: { terminated: { exitCode: 0, message: SUCCESS } } }],
    },
  };
}

const SUCCESS = JSON.stringify({ outcome: 'succeeded', bytesRead: 1, bytesWritten: 1 });
