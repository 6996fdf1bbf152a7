import { env } from 'node:process';

/** Four may wait for a disk to write, one for it to sync, and one looks up names. */
const THREADS = 6;

/** Gives libuv's pool the threads that a transfer uses. To be called before anything has used the pool. */
export function sizeThreadPool(): void {
  env['UV_THREADPOOL_SIZE'] ??= THREADS.toString();
}
