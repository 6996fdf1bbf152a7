import { userAnnotation } from '../../../../../src/api/annotations.ts';
import { dataVolumes } from '../../../../../src/api/data-volume.ts';
import type { MetadataServices } from '../../../../../src/controllers/changed-blocks/metadata-services.ts';
import { baseOfAnnotation, clonePlanAnnotation } from '../../../../../src/controllers/objects/internal-annotations.ts';
import { type PersistentVolumeClaim, persistentVolumeClaims } from '../../../../../src/kube/builtin-resources.ts';
import { type VolumeSnapshot, volumeSnapshots } from '../../../../../src/kube/snapshot-resources.ts';
import { decodeBlockRanges } from '../../../../../src/protocol/block-ranges.ts';
import { CHANGED_RANGES_FILE } from '../../../../../src/protocol/transfer-pod.ts';
import type { BlockRange, NamedSnapshot } from '../../../../../src/snapshot-metadata/snapshot-metadata.ts';
import { STORAGE_CLASS, TEAM } from '../../world/installation.ts';
import { World, type WorldOptions } from '../../world/world.ts';

/** Of the blocks that the driver says have changed, whatever it is asked. */
export const CHANGED: readonly BlockRange[] = [{ offset: 1_048_576, length: 65_536 }];

/** The Block claim that is copied again and again. */
export const SOURCE = { namespace: TEAM, name: 'block' };

const claimOf = (size: string) => ({
  accessModes: ['ReadWriteOnce' as const],
  storageClassName: STORAGE_CLASS,
  volumeMode: 'Block' as const,
  resources: { requests: { storage: size } },
});

const MOST_ROUNDS = 120;
/** Until what was made on the way is removed. */
const ROUNDS_AFTER = 5;

/** The end of the controllers, in the middle of what they do. */
export class Killed extends Error {}

/** A driver that tells of blocks, as long as it does. */
class TellingDriver implements MetadataServices {
  /** Why it does not answer; undefined where it does. */
  trouble: string | undefined;
  /** What it was asked: the handle of the earlier snapshot, the name of the later one, and its capacity in bytes. */
  readonly deltas: { readonly since: string; readonly snapshot: NamedSnapshot; readonly capacity: number }[] = [];

  has(): Promise<boolean> {
    return Promise.resolve(true);
  }

  open() {
    const told = async (ranges: readonly BlockRange[]): Promise<BlockRange[]> => {
      if (this.trouble !== undefined) throw new Error(this.trouble);
      return [...ranges];
    };
    return Promise.resolve({
      allocated: () => told([{ offset: 0, length: 4_096 }]),
      delta: (since: string, snapshot: NamedSnapshot, capacity: number) => {
        this.deltas.push({ since, snapshot, capacity });
        return told(CHANGED);
      },
      close: () => undefined,
    });
  }
}

/** A world with a Block claim whose owner wants repeated copies of it to be incremental. */
export class IncrementalWorld {
  readonly driver: TellingDriver;
  readonly events: string[] = [];
  /** What the source pods of copies were told of changes, in their order: ranges, or that everything is sent. */
  readonly sent: (readonly BlockRange[] | 'everything')[] = [];
  /** Of which capacity in bytes that was told. */
  readonly capacities: number[] = [];
  #world: World | undefined;

  static async of(options: Partial<WorldOptions> = {}): Promise<IncrementalWorld> {
    const made = new IncrementalWorld();
    const world = await World.of({
      cloneStrategy: 'copy',
      hasAnnotationPolicy: true,
      services: made.driver,
      roundMilliseconds: 1_000,
      onEvent: (_, { reason, message }) => made.events.push(`${reason}: ${message}`),
      ...options,
    });
    made.#world = world;
    world.api.onWrite(({ resource, before, after }) => {
      const { stringData } = (after ?? {}) as { stringData?: Record<string, string> };
      if (resource.kind !== 'Secret' || before || !stringData) return;
      const told = stringData[CHANGED_RANGES_FILE];
      const changed = told ? decodeBlockRanges(told) : undefined;
      made.sent.push(changed?.ranges ?? 'everything');
      if (changed) made.capacities.push(changed.capacity);
    });
    made.makeSource();
    await world.round();
    return made;
  }

  private constructor() {
    this.driver = new TellingDriver();
  }

  get world(): World {
    if (!this.#world) throw new Error('there is no world yet');
    return this.#world;
  }

  /** Makes the claim that is copied. */
  makeSource(): void {
    const { world } = this;
    world.api.create('cluster', persistentVolumeClaims, {
      metadata: { ...SOURCE, annotations: { [userAnnotation.incrementalClone]: 'true' } },
      spec: claimOf('1Gi'),
    });
    world.kubernetes();
    world.data.put(world.data.volumeOf(SOURCE)?.metadata?.name, ['team/own']);
  }

  begin(name: string, size = '1Gi'): void {
    const { world } = this;
    world.api.create('author', dataVolumes, {
      apiVersion: 'cdi.kubevirt.io/v1beta1',
      kind: 'DataVolume',
      metadata: { namespace: TEAM, name, annotations: { [userAnnotation.usePopulator]: 'true' } },
      spec: { source: { pvc: SOURCE }, pvc: claimOf(size) },
    });
    world.law.rightful.add(`datavolume.${TEAM}.${name}.1`);
  }

  async rounds(count: number): Promise<void> {
    for (let round = 0; round < count; round++) await this.world.round();
  }

  /**
   * Resolves when a copy is complete and nothing is done any more, or after many rounds.
   *
   * @param onKilled begins anew where the controllers are killed
   */
  async settled(name: string, onKilled?: () => void): Promise<void> {
    for (let round = 0, after = 0; round < MOST_ROUNDS && after < ROUNDS_AFTER; round++) {
      try {
        await this.world.round();
      } catch (error) {
        if (!(error instanceof Killed)) throw error;
        onKilled?.();
      }
      if (this.phaseOf(name) === 'Succeeded') after++;
    }
  }

  /** Copies the source. Returns the plan. */
  async copy(name: string, size?: string): Promise<string> {
    this.begin(name, size);
    await this.settled(name);
    return this.planOf(name);
  }

  planOf(name: string): string {
    return this.claim(name)?.metadata?.annotations?.[clonePlanAnnotation] ?? '';
  }

  phaseOf(name: string): string | undefined {
    return this.world.api.find(dataVolumes, { namespace: TEAM, name })?.status?.phase;
  }

  claim(name: string): PersistentVolumeClaim | undefined {
    return this.world.api.find(persistentVolumeClaims, { namespace: TEAM, name });
  }

  /** What is kept for the next copy. */
  kept(): VolumeSnapshot[] {
    return this.snapshots().filter(({ metadata }) => metadata?.annotations?.[baseOfAnnotation] !== undefined);
  }

  /** The snapshots that the controllers have made. */
  snapshots(): VolumeSnapshot[] {
    return this.world.api
      .list(volumeSnapshots)
      .filter(({ metadata }) => metadata?.namespace === TEAM && metadata.name?.startsWith('tmp-'));
  }

  annotate(annotations: Record<string, string | undefined>): void {
    this.world.api.change('author', persistentVolumeClaims, SOURCE, (claim) => ({
      ...claim,
      metadata: {
        ...claim.metadata,
        annotations: Object.fromEntries(
          Object.entries({ ...claim.metadata?.annotations, ...annotations }).filter(([, value]) => value !== undefined),
        ) as Record<string, string>,
      },
    }));
  }
}
