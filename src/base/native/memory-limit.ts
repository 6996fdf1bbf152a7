import { join } from 'node:path';
import { type ControlGroupPlaces, controlGroups, readText } from './control-groups.ts';

const MEBIBYTE = 1024 * 1024;
/** Above memory.high a process is not killed, but is throttled until it hardly advances. */
const limits = ['memory.max', 'memory.high', 'memory.limit_in_bytes'];

/**
 * Returns how many bytes of memory this process may use, together with those that share its limit; Infinity where there
 * is no limit.
 */
export function memoryLimit(places?: ControlGroupPlaces): number {
  let limit = Infinity;
  for (const folder of controlGroups('memory', places)) {
    for (const file of limits) {
      // Version 2 says max where there is no limit.
      const bytes = Number(readText(join(folder, file)) ?? Infinity);
      if (bytes > 0) limit = Math.min(limit, bytes);
    }
  }
  return limit;
}

/** Returns how many bytes concurrent decoders may use together for their windows and dictionaries. */
export function windowMemoryLimit(limit = memoryLimit()): number {
  return Math.floor(Math.min(224 * MEBIBYTE, limit * 0.6));
}

/**
 * Returns how many bytes the decompression of an xz file may allocate. The author of the file chooses the size of its
 * blocks.
 */
export function xzMemory(): { threaded: number; most: number } {
  const limit = memoryLimit();
  return {
    /** Blocks that need more are decompressed by one thread. */
    threaded: Math.floor(Math.min(96 * MEBIBYTE, limit / 4)),
    /** Files that need more than this are refused. */
    most: Math.floor(Math.min(128 * MEBIBYTE, limit * 0.6)),
  };
}
