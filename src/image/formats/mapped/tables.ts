import type { MappedImage, ReadAt } from './image.ts';
import type { PieceRun } from './pieces.ts';

/**
 * Places of all tables of an image, in the order of the file.
 *
 * @throws TransferError InvalidImage; whatever `read` throws
 */
export async function readTablesOf(image: MappedImage, read: ReadAt): Promise<PieceRun> {
  const tables = await image.readTables(read);
  // Nobody maps two parts of a disk by one table, and a small file could claim to hold any amount of data so.
  for (let run = tables.copy(), before = -1; run.host < Infinity; run.advance()) {
    if (run.host === before) throw image.failures.invalid('two parts of the disk are mapped by one table');
    before = run.host;
  }
  return tables;
}
