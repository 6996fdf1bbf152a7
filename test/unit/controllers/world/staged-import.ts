import { userAnnotation } from '../../../../src/api/annotations.ts';
import type { DataVolume } from '../../../../src/api/data-volume.ts';
import { dataVolumes } from '../../../../src/api/data-volume.ts';
import { CDI_API_VERSION } from '../../../../src/api/group.ts';
import { workForAnnotation } from '../../../../src/controllers/objects/internal-annotations.ts';
import { persistentVolumeClaims, type Pod, pods } from '../../../../src/kube/builtin-resources.ts';
import { keyOf } from '../../../../src/kube/key.ts';
import {
  IMPORT_REQUEST_VARIABLE,
  type ImportRequest,
  type ImportStage,
  type TransferResult,
} from '../../../../src/protocol/transfer-pod.ts';
import { STORAGE_CLASS, TEAM } from './installation.ts';
import { World } from './world.ts';

export const KEY = { namespace: TEAM, name: 'disk' };

/** The stages of an import up to snapshot-1, snapshot-2, and so on. */
export const stagesUpTo = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    previous: index === 0 ? '' : `snapshot-${index}`,
    current: `snapshot-${index + 1}`,
  }));

export const stagedSource = {
  imageio: { url: 'https://engine/ovirt-engine/api', diskId: 'disk', secretRef: 'engine' },
};

export const claimSpec = {
  accessModes: ['ReadWriteOnce' as const],
  storageClassName: STORAGE_CLASS,
  resources: { requests: { storage: '1Gi' } },
};

/** A claim that is imported in stages, and what its importer pods did. */
export class StagedImport {
  readonly world: World;
  /** What was imported by pods that succeeded, as `snapshot-2` or `snapshot-2 final`, in order. */
  readonly copied: string[] = [];
  /** What should never happen. */
  readonly breaches: string[] = [];
  /** How many pods of each stage fail in passing, and which stages fail for good. */
  readonly passing = new Map<string, number>();
  readonly broken = new Set<string>();

  /** A world with a DataVolume whose first stage is known. */
  static async of(
    annotations: Readonly<Record<string, string>> = {},
    retained = false,
    volumeMode: 'Filesystem' | 'Block' = 'Filesystem',
  ): Promise<StagedImport> {
    const staged = await StagedImport.ofNothing();
    const retain: Record<string, string> = retained ? { [userAnnotation.podRetainAfterCompletion]: 'true' } : {};
    staged.world.api.create('author', dataVolumes, {
      apiVersion: CDI_API_VERSION,
      kind: 'DataVolume',
      metadata: { ...KEY, annotations: { ...annotations, ...retain } },
      spec: { source: stagedSource, checkpoints: stagesUpTo(1), pvc: { ...claimSpec, volumeMode } },
    });
    return staged;
  }

  static async ofNothing(): Promise<StagedImport> {
    return new StagedImport(await World.of({ cloneStrategy: 'snapshot', hasAnnotationPolicy: true }));
  }

  private constructor(world: World) {
    this.world = world;
    world.api.onWrite(({ resource, before, after }) => {
      if (resource.kind !== 'Pod') return;
      this.#lookAt(before, after);
    });
  }

  get dataVolume(): DataVolume | undefined {
    return this.world.api.find(dataVolumes, KEY);
  }

  get claim() {
    return this.world.api.find(persistentVolumeClaims, KEY);
  }

  /** The annotations of the claim about its stages. */
  get stageAnnotations(): Record<string, string> {
    const all = Object.entries(this.claim?.metadata?.annotations ?? {});
    return Object.fromEntries(all.filter(([name]) => name.includes('storage.checkpoint.')));
  }

  /** The importer pods that there are. */
  get pods(): Pod[] {
    return this.world.api.list(pods).filter((pod) => stageOf(pod) !== undefined);
  }

  /** Sets the stages that are known. */
  plan(checkpoints: DataVolume['spec']['checkpoints'], finalCheckpoint = false): void {
    this.world.api.change('author', dataVolumes, KEY, (current) => ({
      ...current,
      spec: { ...current.spec, checkpoints, finalCheckpoint },
    }));
  }

  delete(): void {
    this.world.api.delete('author', dataVolumes, KEY);
  }

  /** Kills the pod at work, if there is one. */
  killPod(): void {
    const pod = this.pods.find(({ status }) => status?.phase === 'Running');
    if (pod) this.#finish(pod, undefined);
  }

  async rounds(count: number, pace?: Parameters<World['round']>[0]): Promise<void> {
    for (let round = 0; round < count; round++) {
      this.#failPods();
      await this.world.round(pace);
    }
  }

  #failPods(): void {
    for (const pod of this.pods.filter(({ status }) => status?.phase === 'Running')) {
      const { current = '' } = stageOf(pod) ?? {};
      const failures = this.passing.get(current) ?? 0;
      if (this.broken.has(current)) this.#finish(pod, failure(true, `Snapshot ${current} does not exist`));
      else if (failures > 0) {
        this.passing.set(current, failures - 1);
        this.#finish(pod, failure(false, 'The connection was lost'));
      }
    }
  }

  #finish(pod: Pod, result: TransferResult | undefined): void {
    const finishedAt = '2026-01-01T00:00:00Z';
    const terminated = { exitCode: 1, finishedAt, ...(result ? { message: JSON.stringify(result) } : {}) };
    this.world.api.change('cluster', pods, keyOf(pod), (current) => ({
      ...current,
      status: { phase: 'Failed', containerStatuses: [{ name: 'importer', state: { terminated } } as never] },
    }));
  }

  #lookAt(before: Pod | undefined, after: Pod | undefined): void {
    const stage = stageOf(after);
    if (!after || !stage) return;
    const isNew = before === undefined;
    const works = ({ metadata, status }: Pod) =>
      status?.phase !== 'Succeeded' && status?.phase !== 'Failed' && metadata?.uid !== after.metadata?.uid;
    if (isNew && this.pods.some(works)) this.breaches.push(`two pods at work when ${after.metadata?.name} came`);
    if (isNew && this.dataVolume?.status?.phase === 'Succeeded') this.breaches.push(`${stage.current} after the end`);
    if (before?.status?.phase === after.status?.phase || after.status?.phase !== 'Succeeded') return;
    this.copied.push(stage.isFinal ? `${stage.current} final` : stage.current);
  }
}

function failure(permanent: boolean, message: string): TransferResult {
  return { outcome: 'failed', permanent, code: permanent ? 'NotFound' : 'ConnectionLost', message };
}

function stageOf(pod: Pod | undefined): ImportStage | undefined {
  if (pod?.metadata?.annotations?.[workForAnnotation] === undefined) return undefined;
  const { value } = pod.spec?.containers[0]?.env?.find(({ name }) => name === IMPORT_REQUEST_VARIABLE) ?? {};
  return value === undefined ? undefined : (JSON.parse(value) as ImportRequest).stage;
}
