import type { CDIConfigSpec } from '../api/cdi-config.ts';

/** Share of a Filesystem volume that is kept free for the filesystem itself, unless CDIConfig gives another. */
export const DEFAULT_FILESYSTEM_OVERHEAD = '0.06';

/** Returns the share of a class's Filesystem volumes that disk images leave free: 0 ≤ overhead < 1. */
export function filesystemOverheadOf(config: CDIConfigSpec, storageClassName: string | undefined): number {
  const { storageClass, global } = config.filesystemOverhead ?? {};
  return Number(storageClass?.[storageClassName ?? ''] ?? global ?? DEFAULT_FILESYSTEM_OVERHEAD);
}
