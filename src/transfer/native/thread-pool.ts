import { env } from 'node:process';
import { processors } from './processors.ts';

/** What libuv starts unless it is told otherwise. */
const USUAL_THREADS = 4;
/** Besides those that decompress, four may wait for a disk to write, one for it to sync, and one looks up names. */
const OTHER_THREADS = 6;

/** Gives libuv's pool a thread for each processor that may be used. To be called before anything has used the pool. */
export function sizeThreadPool(): void {
  env['UV_THREADPOOL_SIZE'] ??= Math.max(USUAL_THREADS, processors() + OTHER_THREADS).toString();
}
