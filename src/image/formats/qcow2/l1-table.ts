import type { ReadAt } from '../mapped/image.ts';
import { type PieceRun, RunBuilder } from '../mapped/pieces.ts';
import type { Header } from './header.ts';
import { readPlace } from './place.ts';

const ENTRY = 8;
/** Bytes of a table in memory at once. */
const PART = 256 * 1024;

/**
 * Reads the offsets of the L2 tables in the file, with the guest offset where each begins.
 *
 * @param read reads bytes of the file; called in ascending order
 * @throws TransferError InvalidImage; errors of `read`
 */
export async function readL1(header: Header, read: ReadAt): Promise<PieceRun> {
  const { clusterSize, clustersPerTable, l1TableOffset, l1Length } = header;
  const span = clustersPerTable * clusterSize;
  const tables = new RunBuilder();
  for (let start = 0; start < l1Length; start += PART) {
    const part = await read(l1TableOffset + start, Math.min(PART, l1Length - start));
    for (let at = 0; at < part.length; at += ENTRY) {
      const host = readPlace(part, at, header, 'an L2 table');
      if (host !== 0) tables.addWhole(host, ((start + at) / ENTRY) * span, clusterSize);
    }
  }
  return tables.finish();
}
