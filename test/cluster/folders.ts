import { createHash } from 'node:crypto';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** The top of this checkout. */
export const repository = resolve(import.meta.dirname, '../..');

/** Names this checkout in folders that all checkouts share. */
export const checkout = createHash('sha256').update(repository).digest('hex').slice(0, 16);

/** Results worth keeping between checkouts; safe to delete at any time. */
export function cacheFolder(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'diskpress');
}

/** What belongs to running clusters: one folder for each, removed by `down`. */
export function stateFolder(): string {
  return join(process.env.XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'diskpress');
}
