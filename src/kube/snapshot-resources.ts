import { isAboutConflict } from './errors.ts';
import { defineResource, type KubeObject } from './resource.ts';

interface SnapshotError {
  message?: string;
  time?: string;
}

/** VolumeSnapshot of snapshot.storage.k8s.io/v1, as the CRDs of kubernetes-csi/external-snapshotter define it. */
export interface VolumeSnapshot extends KubeObject {
  spec: {
    source: { persistentVolumeClaimName?: string; volumeSnapshotContentName?: string };
    volumeSnapshotClassName?: string;
  };
  status?: {
    boundVolumeSnapshotContentName?: string;
    creationTime?: string;
    readyToUse?: boolean;
    /** Size as a quantity. */
    restoreSize?: string;
    error?: SnapshotError;
  };
}

export interface VolumeSnapshotContent extends KubeObject {
  spec: {
    deletionPolicy: 'Delete' | 'Retain';
    driver: string;
    source: { snapshotHandle?: string; volumeHandle?: string };
    sourceVolumeMode?: string;
    volumeSnapshotClassName?: string;
    volumeSnapshotRef: { apiVersion?: string; kind?: string; name?: string; namespace?: string; uid?: string };
  };
  status?: {
    /** Creation time in nanoseconds since 1970. */
    creationTime?: number;
    readyToUse?: boolean;
    /** Size in bytes. */
    restoreSize?: number;
    snapshotHandle?: string;
    error?: SnapshotError;
  };
}

export interface VolumeSnapshotClass extends KubeObject {
  driver: string;
  deletionPolicy: 'Delete' | 'Retain';
  parameters?: Record<string, string>;
}

const snapshot = { group: 'snapshot.storage.k8s.io', version: 'v1' };

export const volumeSnapshots = defineResource<VolumeSnapshot>({
  ...snapshot,
  kind: 'VolumeSnapshot',
  plural: 'volumesnapshots',
  namespaced: true,
});
export const volumeSnapshotContents = defineResource<VolumeSnapshotContent>({
  ...snapshot,
  kind: 'VolumeSnapshotContent',
  plural: 'volumesnapshotcontents',
  namespaced: false,
});
export const volumeSnapshotClasses = defineResource<VolumeSnapshotClass>({
  ...snapshot,
  kind: 'VolumeSnapshotClass',
  plural: 'volumesnapshotclasses',
  namespaced: false,
});

/**
 * Returns why a snapshot is not ready, in the words of the snapshot controller or the driver. A conflict is no reason:
 * the snapshot controller leaves it in the status until it has tried again.
 */
export function snapshotTrouble({ status }: VolumeSnapshot): string | undefined {
  const message = status?.error?.message;
  return message && !isAboutConflict(message) ? message : undefined;
}
