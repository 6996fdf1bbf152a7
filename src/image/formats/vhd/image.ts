import { isBlockSize } from '../block-size.ts';
import { type BlockMap, cutMap, parseMap } from '../mapped/block-map.ts';
import type { MappedImage, ReadHead } from '../mapped/image.ts';
import { diskTypes, failures, FOOTER_LENGTH, parseFooter } from './footer.ts';

/** The header; names are those of the specification, "Dynamic Disk Header Format". Offsets and sizes are in bytes. */
interface DynamicHeader {
  tableOffset: number;
  blockSize: number;
  /** Size of the disk. */
  size: number;
  /** Offset of the end of the header. */
  end: number;
}

const SECTOR = 512;
const HEADER_LENGTH = 1024;
/**
 * Bytes at the start of an image within which a header is read; images with a header elsewhere are left to qemu-img.
 */
const HEADER_AREA = 1024 * 1024;
const ENTRY = 4;
const UNALLOCATED = 0xffffffff;

/**
 * Opens a dynamic VHD.
 *
 * @throws TransferError for images that are invalid, incomplete or need other files
 * @throws RandomAccessNeeded for VHDs of other kinds
 */
export async function openVhd(readHead: ReadHead): Promise<MappedImage> {
  const { size, blockSize, tableOffset, end } = await readHeader(readHead);
  const map: BlockMap = { offset: tableOffset, entryLength: ENTRY, size, blockSize };
  const tables = cutMap(map);
  const bitmapLength = Math.ceil(blockSize / SECTOR / 8 / SECTOR) * SECTOR;
  return {
    size,
    lead: 0,
    dataStart: 0,
    failures,
    readTables: () => Promise.resolve(tables),
    parseTable: (table, guest) => parseMap(map, table, guest, (at) => dataAt(table, at, end, bitmapLength)),
  };
}

async function readHeader(readHead: ReadHead): Promise<DynamicHeader> {
  const { diskType, size, dataOffset } = parseFooter(await readHead(FOOTER_LENGTH));
  const end = dataOffset + HEADER_LENGTH;
  if (diskType !== diskTypes.dynamic || end > HEADER_AREA) throw failures.needsRandomAccess('is not dynamic');
  const header = (await readHead(end)).subarray(dataOffset);
  if (header.length < HEADER_LENGTH) throw failures.truncated();
  if (header.toString('latin1', 0, 8) !== 'cxsparse') throw failures.invalid('its dynamic header is damaged');
  const tableOffset = Number(header.readBigUInt64BE(16));
  const entries = header.readUInt32BE(28);
  const blockSize = header.readUInt32BE(32);
  if (!isBlockSize(blockSize, SECTOR)) throw failures.invalid(`its blocks have ${blockSize} bytes`);
  if (entries * blockSize < size) throw failures.invalid('its block allocation table is too small for its size');
  if (tableOffset < end || !Number.isSafeInteger(tableOffset)) {
    throw failures.invalid('its block allocation table is at no possible place');
  }
  return { size, blockSize, tableOffset, end };
}

/**
 * Returns the offset of a block's data, which follows a bitmap of its sectors; sectors that were never written are
 * zeros in the block as well.
 */
function dataAt(table: Buffer, at: number, headerEnd: number, bitmapLength: number): number | undefined {
  const sector = table.readUInt32BE(at);
  if (sector === UNALLOCATED) return undefined;
  const host = sector * SECTOR;
  if (host < headerEnd) throw failures.invalid('a block lies in its header');
  return host + bitmapLength;
}
