import { env } from 'node:process';
import type { Login } from '../../base/login.ts';
import { readGiven } from './read-given.ts';

/**
 * Returns the login in the variables `PREFIX_USERNAME`, and `PREFIX_PASSWORD` or `PREFIX_PASSWORD_FILE`; undefined
 * where they are not set.
 */
export async function environmentLogin(prefix: string): Promise<Login | undefined> {
  const user = env[`${prefix}_USERNAME`];
  const given = env[`${prefix}_PASSWORD`];
  const file = env[`${prefix}_PASSWORD_FILE`];
  if (user === undefined || (given === undefined && file === undefined)) return undefined;
  return { user, password: given ?? (await readGiven(file ?? '')).replace(/\r?\n$/, '') };
}
