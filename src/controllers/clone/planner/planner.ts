import { humanBytes } from '../../../base/units.ts';
import type { CloneFallbackReason, ClonePhase, CloneType } from '../../../api/clone.ts';
import type { Consumer } from '../source/reach.ts';
import type { CloneSourceKind } from '../source/source.ts';

/** A phase in which something is made, as opposed to Pending, Succeeded and Error. */
export type WorkingPhase = Exclude<ClonePhase, 'Pending' | 'Succeeded' | 'Error'>;

/** All that the choice of a clone's way depends on. Sizes are in bytes. */
export interface CloneFacts {
  readonly source: {
    readonly kind: CloneSourceKind;
    readonly namespace: string;
    /** The CSI driver that holds the source; undefined where it is not a CSI volume. */
    readonly driver: string | undefined;
    readonly volumeMode: 'Filesystem' | 'Block';
    /** What the source's volume holds, or for a snapshot its restore size; 0 where that is not known. */
    readonly capacity: number;
  };
  readonly target: {
    readonly namespace: string;
    readonly storageClass: string;
    /** The CSI driver that will hold the target; undefined where the class has none. */
    readonly driver: string | undefined;
    readonly volumeMode: 'Filesystem' | 'Block';
    /** What the target claim requests. */
    readonly request: number;
    readonly allowVolumeExpansion: boolean;
  };
  /** Of the target; undefined where none was scheduled yet, or every node reaches the source. */
  readonly consumer: Consumer | undefined;
  /** CDI.spec.cloneStrategyOverride. */
  readonly override: CloneType | undefined;
  /** The target's annotation cloneType, as its author wrote it. */
  readonly wish: CloneType | undefined;
  /** StorageProfile.status.cloneStrategy of the target's class: its spec's, or what is known of the provisioner. */
  readonly profile: CloneType | undefined;
  /** The VolumeSnapshotClass for a snapshot of the source: the StorageProfile's, or one of the source's driver. */
  readonly snapshotClass: string | undefined;
  /** StorageProfile.spec.snapshotClass of the target's class. */
  readonly preferredSnapshotClass: string | undefined;
}

/** How a clone is made: the phases in their order, and why this way. */
export interface ClonePlan {
  readonly cloneType: CloneType;
  readonly phases: readonly WorkingPhase[];
  readonly fallback: Fallback | undefined;
  /** The plan in words: "csi-clone, then expand to 2 GiB, then rebind into team-a". */
  readonly description: string;
}

/** Why a clone is copied although another strategy was wanted. */
export interface Fallback {
  readonly reason: CloneFallbackReason;
  readonly message: string;
}

type Obstacle = (facts: CloneFacts, wanted: CloneType) => Fallback | undefined;

const otherDriver: Obstacle = ({ source, target }) => {
  if (source.driver !== undefined && source.driver === target.driver) return undefined;
  const from = source.driver === undefined ? 'not on a CSI driver' : `on ${source.driver}`;
  const to =
    target.driver === undefined
      ? `storage class ${target.storageClass} has no CSI driver`
      : `the target on ${target.driver}`;
  return {
    reason: source.kind === 'VolumeSnapshot' ? 'NoProvisionerMatch' : 'IncompatibleProvisioners',
    message: `the source is ${from}, ${to}`,
  };
};

const otherVolumeMode: Obstacle = ({ source, target }) =>
  source.volumeMode !== target.volumeMode
    ? {
        reason: 'IncompatibleVolumeModes',
        message: `the source is a ${source.volumeMode} volume, the target a ${target.volumeMode} volume`,
      }
    : undefined;

const outOfReach: Obstacle = ({ source, consumer }, wanted) => {
  if (!consumer) return undefined;
  const restores = wanted === 'snapshot' || source.kind === 'VolumeSnapshot';
  if (restores ? consumer.reachesSnapshots : consumer.reachesVolume) return undefined;
  return {
    reason: 'IncompatibleTopology',
    message:
      `the target's consumer was put on node "${consumer.node}", and only nodes with ${consumer.reachedFrom} ` +
      'reach the source',
  };
};

const cannotGrow: Obstacle = ({ source, target }) =>
  source.capacity > 0 && target.request > source.capacity && !target.allowVolumeExpansion
    ? {
        reason: 'NoVolumeExpansion',
        message:
          `the target is larger (${humanBytes(target.request)}) than the source (${humanBytes(source.capacity)}) ` +
          `and storage class ${target.storageClass} does not allow volume expansion`,
      }
    : undefined;

const noSnapshotClass: Obstacle = ({ source, target, snapshotClass, preferredSnapshotClass }, wanted) =>
  wanted === 'snapshot' && source.kind === 'PersistentVolumeClaim' && snapshotClass === undefined
    ? {
        reason: 'NoVolumeSnapshotClass',
        message:
          preferredSnapshotClass === undefined
            ? `there is no VolumeSnapshotClass of driver ${source.driver}`
            : `StorageProfile ${target.storageClass} names VolumeSnapshotClass ${preferredSnapshotClass}, and there is none of that name and of driver ${source.driver}`,
      }
    : undefined;

/** What can stand against a smart clone, most telling first. */
const OBSTACLES: readonly Obstacle[] = [otherDriver, otherVolumeMode, outOfReach, cannotGrow, noSnapshotClass];

/**
 * Chooses how a clone is made. A pure function: the same facts give the same plan.
 *
 * Strategy: the CDI override, else the wish of the claim's author, else the StorageProfile's, else snapshot; copy where an obstacle stands
 * against it.
 */
export function planClone(facts: CloneFacts): ClonePlan {
  const wanted = facts.override ?? facts.wish ?? facts.profile ?? 'snapshot';
  const fallback = wanted === 'copy' ? undefined : firstObstacle(facts, wanted);
  // A snapshot can't be cloned by the driver, only restored: both smart strategies mean the same for it.
  const cloneType =
    wanted === 'copy' || fallback ? 'copy' : facts.source.kind === 'VolumeSnapshot' ? 'snapshot' : wanted;
  return {
    cloneType,
    phases: phasesOf(cloneType, facts.source.kind),
    fallback,
    description: describe(cloneType, facts),
  };
}

function firstObstacle(facts: CloneFacts, wanted: CloneType): Fallback | undefined {
  for (const obstacle of OBSTACLES) {
    const found = obstacle(facts, wanted);
    if (found) return found;
  }
  return undefined;
}

/** The phases of a strategy. A clone that was begun goes through them whatever has become of the facts meanwhile. */
export function phasesOf(cloneType: CloneType, kind: CloneSourceKind): WorkingPhase[] {
  switch (cloneType) {
    case 'csi-clone':
      return ['CSIClone', 'PrepClaim', 'Rebind'];
    case 'snapshot':
      return kind === 'VolumeSnapshot'
        ? ['SnapshotClone', 'PrepClaim', 'Rebind']
        : ['Snapshot', 'SnapshotClone', 'PrepClaim', 'Rebind'];
    case 'copy':
      return kind === 'VolumeSnapshot' ? ['SnapshotClone', 'HostClone', 'Rebind'] : ['HostClone', 'Rebind'];
  }
}

function describe(cloneType: CloneType, { source, target }: CloneFacts): string {
  const first: Record<CloneType, string> = {
    'csi-clone': 'csi-clone',
    snapshot: source.kind === 'VolumeSnapshot' ? 'restore the snapshot' : 'snapshot, then restore it',
    copy: source.kind === 'VolumeSnapshot' ? 'restore the snapshot, then host-assisted copy' : 'host-assisted copy',
  };
  const steps = [first[cloneType]];
  if (cloneType !== 'copy' && source.capacity > 0 && target.request > source.capacity) {
    steps.push(`expand to ${humanBytes(target.request)}`);
  }
  steps.push(`rebind into ${target.namespace}`);
  return steps.join(', then ');
}
