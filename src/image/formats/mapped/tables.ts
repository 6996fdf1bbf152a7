import type { MappedImage, ReadAt } from './image.ts';
import type { PieceRun } from './pieces.ts';

/**
 * Reads the offsets of all tables of an image, in the order of the file.
 *
 * @throws TransferError InvalidImage; errors of `read`
 */
export async function readTablesOf(image: MappedImage, read: ReadAt): Promise<PieceRun> {
  const tables = await image.readTables(read);
  // No program maps two parts of a disk by one table, and with such tables a small file could claim any amount of data.
  for (let run = tables.copy(), before = -1; run.host < Infinity; run.advance()) {
    if (run.host === before) throw image.failures.invalid('two parts of the disk are mapped by one table');
    before = run.host;
  }
  return tables;
}
