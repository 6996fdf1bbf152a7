import { cutMap } from '../mapped/block-map.ts';
import type { MappedImage, ReadHead } from '../mapped/image.ts';
import { RunBuilder, type PieceRun } from '../mapped/pieces.ts';
import { HEADER_LENGTH, failures, parseHeader, type VdiHeader } from './header.ts';

const ENTRY = 4;
/** Of a block that was never written, or has been discarded; lower ones are where it lies. */
const LOWEST_WITHOUT_DATA = 0xfffffffe;

/** @throws TransferError for images that are invalid, incomplete or need other files */
export async function openVdi(readHead: ReadHead): Promise<MappedImage> {
  const header = parseHeader(await readHead(HEADER_LENGTH));
  const { size, blockSize, blocksOffset, dataOffset } = header;
  const tables = cutMap({ offset: blocksOffset, entryLength: ENTRY, size, blockSize });
  return {
    format: 'vdi',
    size,
    lead: 0,
    dataStart: dataOffset,
    failures,
    readTables: () => Promise.resolve(tables),
    parseTable: (table, guest) => parseMap(table, guest, header),
  };
}

function parseMap(table: Buffer, start: number, { size, blockSize, dataOffset }: VdiHeader): PieceRun {
  const pieces = new RunBuilder();
  for (let at = 0, guest = start; at < table.length; at += ENTRY, guest += blockSize) {
    const block = table.readUInt32LE(at);
    if (block >= LOWEST_WITHOUT_DATA) continue;
    pieces.addPlain(dataOffset + block * blockSize, guest, Math.min(blockSize, size - guest));
  }
  return pieces.finish();
}
