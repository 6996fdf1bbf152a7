import { type BlockMap, cutMap, parseMap } from '../mapped/block-map.ts';
import type { MappedImage, ReadHead } from '../mapped/image.ts';
import { failures, HEADER_LENGTH, parseHeader } from './header.ts';

const ENTRY = 4;
/** Lowest entry of a block without data, which was never written or was discarded; lower entries are locations. */
const LOWEST_WITHOUT_DATA = 0xfffffffe;

/** @throws TransferError for images that are invalid, incomplete or need other files */
export async function openVdi(readHead: ReadHead): Promise<MappedImage> {
  const { size, blockSize, blocksOffset, dataOffset } = parseHeader(await readHead(HEADER_LENGTH));
  const map: BlockMap = { offset: blocksOffset, entryLength: ENTRY, size, blockSize };
  const tables = cutMap(map);
  return {
    size,
    lead: 0,
    dataStart: dataOffset,
    failures,
    readTables: () => Promise.resolve(tables),
    parseTable: (table, guest) =>
      parseMap(map, table, guest, (at) => {
        const block = table.readUInt32LE(at);
        return block >= LOWEST_WITHOUT_DATA ? undefined : dataOffset + block * blockSize;
      }),
  };
}
