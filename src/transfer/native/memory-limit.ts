import { join } from 'node:path';
import { controlGroups, readText } from './control-groups.ts';

const MEBIBYTE = 1024 * 1024;

/** How many bytes this process may have in memory, with those that it shares its limit with; without end where there is none. */
export function memoryLimit(): number {
  let limit = Infinity;
  for (const folder of controlGroups('memory')) {
    const text = readText(join(folder, 'memory.max')) ?? readText(join(folder, 'memory.limit_in_bytes'));
    const bytes = Number(text);
    if (text !== undefined && bytes > 0) limit = Math.min(limit, bytes);
  }
  return limit;
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
