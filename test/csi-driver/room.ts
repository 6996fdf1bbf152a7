import { statfs } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
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

/** Bytes that can still be written to the pool. */
export async function poolRoom(pool: Pool): Promise<number> {
  const { bavail, bsize } = await statfs(pool.directory);
  return bavail * bsize;
}
