import { join } from 'node:path';
import { controlGroups, readText, type ControlGroupPlaces } from './control-groups.ts';

const MEBIBYTE = 1024 * 1024;
/** Above memory.high a process is not killed, but hardly goes on. */
const limits = ['memory.max', 'memory.high', 'memory.limit_in_bytes'];

/** How many bytes this process may have in memory, with those that it shares its limit with; without end where there is none. */
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

/** What several decoders that work at the same time may have together for their windows and dictionaries, in bytes. */
export function windowMemoryLimit(limit = memoryLimit()): number {
  return Math.floor(Math.min(224 * MEBIBYTE, limit * 0.6));
}

/** What decompressing an xz file may allocate, in bytes: its blocks may be as large as who made it liked. */
export function xzMemory(): { threaded: number; most: number } {
  const limit = memoryLimit();
  return {
    /** Blocks that need more are decompressed by one thread. */
    threaded: Math.floor(Math.min(96 * MEBIBYTE, limit / 4)),
    /** Files that need more even so are refused. */
    most: Math.floor(Math.min(128 * MEBIBYTE, limit * 0.6)),
  };
}
