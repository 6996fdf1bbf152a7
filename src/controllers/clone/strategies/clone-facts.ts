import type { CloneType } from '../../../api/clone.ts';
import type { Consumer } from '../source/reach.ts';
import type { CloneSourceKind } from '../source/source.ts';

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
