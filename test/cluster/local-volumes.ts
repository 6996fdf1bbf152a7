import { join } from 'node:path';
import type { V1PersistentVolume } from '@kubernetes/client-node';

export const localStorageClass = 'diskpress-local';

/** Where nodes have their local volumes. */
export const localVolumesFolder = '/var/lib/local-volumes';

interface LocalVolume {
  name: string;
  volumeMode: 'Filesystem' | 'Block';
  bytes: number;
}

const GiB = 2 ** 30;

/** The local volumes that each node has. */
export const localVolumes: LocalVolume[] = [
  ...Array.from({ length: 6 }, (_, index) => ({
    name: `filesystem-${index + 1}`,
    volumeMode: 'Filesystem' as const,
    bytes: 10 * GiB,
  })),
  ...Array.from({ length: 2 }, (_, index) => ({
    name: `block-${index + 1}`,
    volumeMode: 'Block' as const,
    bytes: 10 * GiB,
  })),
];

/** The PersistentVolume for a node's local volume; no one provisions them. */
export function localPersistentVolume(node: string, volume: LocalVolume): V1PersistentVolume {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: `${node}-${volume.name}` },
    spec: {
      capacity: { storage: `${volume.bytes}` },
      volumeMode: volume.volumeMode,
      accessModes: ['ReadWriteOnce'],
      persistentVolumeReclaimPolicy: 'Retain',
      storageClassName: localStorageClass,
      local: { path: join(localVolumesFolder, volume.name) },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [
            { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [node] }] },
          ],
        },
      },
    },
  };
}
