/** Length of an entry of a region or metadata table, in bytes. */
const ENTRY = 32;
const MOST_ENTRIES = 2047;
const ID = 16;

/** An entry of a region or metadata table, identified by the leading GUID as stored. */
export interface TableEntry {
  id: string;
  bytes: Buffer;
}

/** Returns the entries of a table, as far as it has room for them. */
export function entriesOf(table: Buffer, start: number, count: number): TableEntry[] {
  const entries: TableEntry[] = [];
  for (let index = 0; index < Math.min(count, MOST_ENTRIES); index += 1) {
    const bytes = table.subarray(start + index * ENTRY, start + (index + 1) * ENTRY);
    if (bytes.length < ENTRY) break;
    entries.push({ id: bytes.toString('hex', 0, ID), bytes });
  }
  return entries;
}
