import { statfs } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import type { KeyLock } from './key-lock.ts';
import { ownParameters, parseClassParameters } from './parameters.ts';
import type { Pool } from './pool.ts';

/**
 * Bytes that more volumes of a class may have: what is left of its `capacityBytes`, and unbounded where it has none,
 * as volumes take space in the pool only as they are written.
 *
 * @param parameters of the class; volumes made with the same ones are of the class
 */
export async function classRoom(pool: Pool, parameters: Record<string, string>): Promise<number> {
  const { capacityBytes } = parseClassParameters(parameters);
  if (capacityBytes === undefined) {
    return Infinity;
  }
  const own = ownParameters(parameters);
  const taken = (await pool.volumes.list())
    .filter((volume) => isDeepStrictEqual(volume.parameters, own))
    .reduce((sum, volume) => sum + volume.capacityBytes, 0);
  return Math.max(0, capacityBytes - taken);
}

/**
 * Does what takes so many bytes of a class, or does not where it has no room for them. Of calls for one class with a
 * capacity each sees what those before it took.
 *
 * @param refuse makes the error to throw
 */
export async function takeRoom<Result>(
  pool: Pool,
  locks: KeyLock,
  parameters: Record<string, string>,
  bytes: number,
  refuse: (message: string) => Error,
  task: () => Promise<Result>,
): Promise<Result> {
  if (parseClassParameters(parameters).capacityBytes === undefined) {
    return task();
  }
  return locks.hold(`room/${JSON.stringify(ownParameters(parameters))}`, async () => {
    const room = await classRoom(pool, parameters);
    if (bytes > room) {
      throw refuse(`the storage class has room for ${room} bytes, not for ${bytes}`);
    }
    return task();
  });
}

/** Bytes that can still be written to the pool. */
export async function poolRoom(pool: Pool): Promise<number> {
  const { bavail, bsize } = await statfs(pool.directory);
  return bavail * bsize;
}
