import { storageClassAnnotation } from '../api/annotations.ts';
import type { StorageClass } from '../kube/builtin-resources.ts';

/**
 * Returns the StorageClass to use: the named one, which need not exist, because static volumes may carry the name only;
 * else, for disks, the default class of virtual machines; else the cluster's default. Of several defaults, the newest
 * is used, and of equally new ones the first by name, as by the API server.
 */
export function resolveStorageClassName(
  named: string | undefined,
  contentType: string,
  classes: readonly StorageClass[],
): string | undefined {
  if (named !== undefined) return named;
  const virt = contentType === 'kubevirt' ? newestWith(classes, storageClassAnnotation.isDefaultVirtClass) : undefined;
  return (virt ?? newestWith(classes, storageClassAnnotation.isDefaultClass))?.metadata?.name;
}

function newestWith(classes: readonly StorageClass[], annotation: string): StorageClass | undefined {
  return classes
    .filter((candidate) => candidate.metadata?.annotations?.[annotation] === 'true')
    .sort(
      (a, b) =>
        (b.metadata?.creationTimestamp ?? '').localeCompare(a.metadata?.creationTimestamp ?? '') ||
        (a.metadata?.name ?? '').localeCompare(b.metadata?.name ?? ''),
    )[0];
}
