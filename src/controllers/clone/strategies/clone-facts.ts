import type { CloneType } from '../../../api/clone.ts';
import type { Consumer } from '../source/reach.ts';
import type { CloneSourceKind } from '../source/source.ts';

/** The facts on which the choice of a clone's strategy depends. Sizes are in bytes. */
export interface CloneFacts {
  readonly source: {
    readonly kind: CloneSourceKind;
    readonly namespace: string;
    /** The CSI driver of the source's volume; undefined where it is not a CSI volume. */
    readonly driver: string | undefined;
    readonly volumeMode: 'Filesystem' | 'Block';
    /** Capacity of the source's volume, or the restore size of a snapshot; 0 where it is not known. */
    readonly capacity: number;
  };
  readonly target: {
    readonly namespace: string;
    readonly storageClass: string;
    /** The CSI driver of the target's class; undefined where the class has none. */
    readonly driver: string | undefined;
    readonly volumeMode: 'Filesystem' | 'Block';
    /** Size that the target claim requests. */
    readonly request: number;
    readonly allowVolumeExpansion: boolean;
  };
  /** Whether a copy reads only what is allocated of the source, because its driver tells that. */
  readonly readsAllocatedOnly?: boolean;
  /** When the earlier copy was made with which a copy begins; undefined where there is none. RFC 3339. */
  readonly copiedBefore?: string | undefined;
  /** The target's consumer; undefined where none has been scheduled yet, or all nodes can access the source. */
  readonly consumer: Consumer | undefined;
  /** The field CDI.spec.cloneStrategyOverride. */
  readonly override: CloneType | undefined;
  /** The target's annotation cloneType, as its author wrote it. */
  readonly wish: CloneType | undefined;
  /**
   * The field StorageProfile.status.cloneStrategy of the target's class, which is the one of its spec, or the known one
   * of the provisioner.
   */
  readonly profile: CloneType | undefined;
  /**
   * The VolumeSnapshotClass for a snapshot of the source: that of the StorageProfile, or one of the source's driver.
   */
  readonly snapshotClass: string | undefined;
  /** The field StorageProfile.spec.snapshotClass of the target's class. */
  readonly preferredSnapshotClass: string | undefined;
}
