import { invalid, type Header } from './header.ts';
import { RunBuilder, type PieceRun } from './pieces.ts';
import { readPlace } from './place.ts';

const ENTRY = 8;
/** So much of a table is in memory at once. */
const PART = 256 * 1024;

/**
 * Places of the L2 tables in the file, with the guest offset where each begins.
 *
 * @param read bytes of the file; asked for from its start on
 * @throws TransferError InvalidImage; whatever `read` throws
 */
export async function readL1(
  header: Header,
  read: (offset: number, length: number) => Promise<Buffer>,
): Promise<PieceRun> {
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
  const run = tables.finish();
  refuseShared(run.copy());
  return run;
}

/** qemu never maps two parts of a disk by one table, and a small file could claim to hold any amount of data so. */
function refuseShared(tables: PieceRun): void {
  for (let before = 0; tables.host < Infinity; tables.advance()) {
    if (tables.host === before) throw invalid('two parts of the disk are mapped by one L2 table');
    before = tables.host;
  }
}
