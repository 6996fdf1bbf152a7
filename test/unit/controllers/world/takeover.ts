import { dataVolumes, type DataVolumeSpec } from '../../../../src/api/data-volume.ts';
import type { DataVolumePhase } from '../../../../src/api/phases.ts';
import { volumeCloneSources } from '../../../../src/api/volume-clone-source.ts';
import { volumeImportSources } from '../../../../src/api/volume-import-source.ts';
import { volumeUploadSources } from '../../../../src/api/volume-upload-source.ts';
import {
  type PersistentVolumeClaim,
  persistentVolumeClaims,
  persistentVolumes,
  type Pod,
  pods,
  services,
} from '../../../../src/kube/builtin-resources.ts';
import { keyOf } from '../../../../src/kube/key.ts';
import { dataVolumeOfCdi, podOfCdi, primeClaimOfCdi, targetClaimOfCdi } from '../../../support/cdi/claims.ts';
import { STORAGE_CLASS, TEAM } from './installation.ts';
import { World } from './world.ts';

export const DISK = { namespace: TEAM, name: 'disk' };
const ROUNDS = 20;

const sources = { Import: volumeImportSources, Upload: volumeUploadSources, Clone: volumeCloneSources };

/** A cluster in which CDI was at work on one DataVolume, and which Diskpress takes over. */
export class Takeover {
  readonly world: World;
  readonly target: PersistentVolumeClaim;

  static async of(
    kind: keyof typeof sources,
    spec: Partial<DataVolumeSpec>,
    phase: DataVolumePhase,
    { annotations = {}, finalizers = [] }: { annotations?: Record<string, string>; finalizers?: string[] } = {},
  ): Promise<Takeover> {
    const world = await World.of({ cloneStrategy: 'copy', hasAnnotationPolicy: true });
    const dataVolume = dataVolumeOfCdi(DISK, spec);
    const made = world.api.create('cluster', dataVolumes, {
      ...dataVolume,
      metadata: { ...dataVolume.metadata, finalizers },
      status: { phase },
    });
    const target = targetClaimOfCdi(made, kind, STORAGE_CLASS, annotations);
    const { name = '' } = target.spec?.dataSourceRef ?? {};
    world.api.create(
      'cluster',
      sources[kind] as typeof volumeImportSources,
      {
        metadata: { namespace: TEAM, name, ownerReferences: target.metadata?.ownerReferences?.slice(0, 1) ?? [] },
        spec: (kind === 'Clone' ? { source: { kind: 'PersistentVolumeClaim', name: 'own' } } : spec) as never,
      } as never,
    );
    return new Takeover(world, world.api.create('cluster', persistentVolumeClaims, target));
  }

  private constructor(world: World, target: PersistentVolumeClaim) {
    this.world = world;
    this.target = target;
  }

  /** Makes the working claim of CDI, bound to a volume that its importer has begun to write. */
  prime(annotations: Record<string, string>): PersistentVolumeClaim {
    const { api, data } = this.world;
    const prime = api.create('cluster', persistentVolumeClaims, primeClaimOfCdi(this.target, annotations));
    this.world.kubernetes();
    data.put(data.volumeOf(keyOf(prime))?.metadata?.name, ['an import']);
    return prime;
  }

  pod(claim: PersistentVolumeClaim, role: Parameters<typeof podOfCdi>[1]['role'], name: string): Pod {
    return this.world.api.create('cluster', pods, podOfCdi(claim, { name, role }));
  }

  tell(pod: Pod, phase: string, state: object): void {
    const { name = '' } = pod.spec?.containers[0] ?? {};
    this.world.api.change('cluster', pods, keyOf(pod), (current) => ({
      ...current,
      status: { phase, containerStatuses: [{ name, state } as never] },
    }));
  }

  /** Binds the target to a volume, as CDI does at the end. */
  handOver(working: PersistentVolumeClaim): void {
    const { api, data } = this.world;
    const volume = data.volumeOf(keyOf(working));
    const { namespace = '', name = '', uid = '' } = this.target.metadata ?? {};
    if (volume === undefined) throw new Error('there is no volume to hand over');
    api.change('cluster', persistentVolumes, keyOf(volume), (current) => ({
      ...current,
      spec: { ...current.spec, claimRef: { namespace, name, uid } },
    }));
    api.change('cluster', persistentVolumeClaims, DISK, (current) => ({
      ...current,
      spec: { ...current.spec, volumeName: volume.metadata?.name ?? '' },
    }));
    this.world.kubernetes();
  }

  async rounds(count = ROUNDS): Promise<void> {
    for (let round = 0; round < count; round++) await this.world.round();
  }

  get phase(): string | undefined {
    return this.world.api.find(dataVolumes, DISK)?.status?.phase;
  }

  /** Names of the pods and Services, and of the claims besides the target and those of others. */
  get left(): string[] {
    const { api } = this.world;
    const claims = api
      .list(persistentVolumeClaims)
      .filter(({ metadata }) => /^(prime|tmp)-/.test(metadata?.name ?? ''));
    return [...claims, ...api.list(pods), ...api.list(services)].map(({ metadata }) => metadata?.name ?? '');
  }

  get volumeName(): string | undefined {
    return this.world.api.find(persistentVolumeClaims, DISK)?.spec?.volumeName;
  }
}
