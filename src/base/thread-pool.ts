import { env } from 'node:process';

/** Up to four threads wait for writes to a disk, one for its sync, and one resolves names. */
const THREADS = 6;

/** Sizes libuv's thread pool for a transfer. Has to be called before anything has used the pool. */
export function sizeThreadPool(): void {
  env['UV_THREADPOOL_SIZE'] ??= THREADS.toString();
}
