import { aborted, invalidArgument } from './status-error.ts';

const TOKEN_PREFIX = 'after-';

/** A part of a list and the token with which the next call goes on; the token is empty at the end. */
export interface Page<Entry> {
  entries: Entry[];
  nextToken: string;
}

/**
 * Takes a page from entries that are in the order of their identifiers. A token names the last entry that was
 * listed, so that entries made or removed between two pages make none appear twice.
 *
 * @throws StatusError ABORTED for a token that is not one of its own
 */
export function page<Entry extends { id: string }>(
  sorted: Entry[],
  startingToken: string,
  maxEntries: number,
): Page<Entry> {
  if (maxEntries < 0) {
    throw invalidArgument('max_entries must not be negative');
  }
  if (startingToken !== '' && !startingToken.startsWith(TOKEN_PREFIX)) {
    throw aborted(`starting_token ${startingToken} is not valid; list again from the start`);
  }
  const after = startingToken.slice(TOKEN_PREFIX.length);
  const rest = sorted.filter((entry) => entry.id > after);
  const entries = maxEntries === 0 ? rest : rest.slice(0, maxEntries);
  const last = entries.at(-1);
  return { entries, nextToken: last && entries.length < rest.length ? TOKEN_PREFIX + last.id : '' };
}
