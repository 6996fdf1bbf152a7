import { failures, type Header } from './header.ts';

const HIGH_MASK = 0x00ffffff;
const LOW_ALIGNMENT = 512;
const TWO_32 = 2 ** 32;

/**
 * Reads bits 9–55 of a table's entry: an offset in the file, or 0 for none.
 *
 * @throws TransferError InvalidImage where nothing can be there
 */
export function readPlace(table: Buffer, at: number, header: Header, what: string): number {
  const low = table.readUInt32BE(at + 4);
  const host = (table.readUInt32BE(at) & HIGH_MASK) * TWO_32 + (low - (low % LOW_ALIGNMENT));
  if (host === 0) return 0;
  if (host % header.clusterSize !== 0) throw failures.invalid(`${what} is not aligned`);
  checkPlace(host, header, what);
  return host;
}

/** Ensures that nothing else lies in the cluster of the header or the L1 table. */
export function checkPlace(host: number, { clusterSize, l1TableOffset, l1Length }: Header, what: string): void {
  if (!Number.isSafeInteger(host)) throw failures.invalid(`${what} lies beyond any file`);
  if (host < clusterSize) throw failures.invalid(`${what} lies in its header`);
  if (host >= l1TableOffset && host < l1TableOffset + l1Length) throw failures.invalid(`${what} lies in its L1 table`);
}
