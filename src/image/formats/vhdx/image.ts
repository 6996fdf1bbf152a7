import { RandomAccessNeeded } from '../../../base/errors.ts';
import { type BlockMap, cutMap, parseMap } from '../mapped/block-map.ts';
import type { MappedImage, ReadHead } from '../mapped/image.ts';
import { failures } from './failures.ts';
import { currentHeader, HEADERS_LENGTH } from './headers.ts';
import { LONGEST_METADATA, parseMetadata } from './metadata.ts';
import { parseRegions, type Region } from './regions.ts';

/**
 * Bytes at the start of an image within which metadata is read; images with metadata elsewhere are left to qemu-img.
 */
const METADATA_AREA = 8 * 1024 * 1024;
const HEADER_SECTION = 1024 * 1024;
const ENTRY = 8;
const TWO_32 = 2 ** 32;
/** Bits of an entry: the state, and the offset of the block in the file in mebibytes. */
const STATE = 7;
const LOW_OFFSET = 0xfff00000;
/** Payload block states ([MS-VHDX] section 2.5.1.1). 5 is what 3 was in a draft. */
const FULLY_PRESENT = 6;
const zeroStates = new Set([0, 1, 2, 3, 5]);

/**
 * @throws TransferError for images that are invalid, incomplete or need other files
 * @throws RandomAccessNeeded where its log has to be replayed, or its metadata is too far from the start
 */
export async function openVhdx(readHead: ReadHead): Promise<MappedImage> {
  const head = await readHead(HEADERS_LENGTH);
  if (head.length < HEADERS_LENGTH) throw failures.truncated();
  const { hasLog, log } = currentHeader(head);
  const { bat, metadata: place } = parseRegions(head);
  if (hasLog) throw new RandomAccessNeeded('the VHDX image has a log that may have to be replayed');
  const end = place.offset + Math.min(place.length, LONGEST_METADATA);
  if (end > METADATA_AREA) throw new RandomAccessNeeded('the VHDX image has its metadata at an unusual place');
  const start = await readHead(end);
  if (start.length < end) throw failures.truncated();
  const metadata = parseMetadata(start.subarray(place.offset));
  if (metadata.hasParent) throw failures.incomplete();
  const { size, blockSize } = metadata;
  // The entries of this many blocks are followed by one for their sector bitmap, which only an image with a parent
  // uses.
  const entryOf = (block: number): number => block + Math.floor(block / metadata.chunkRatio);
  const entries = size === 0 ? 0 : entryOf(Math.ceil(size / blockSize) - 1) + 1;
  if (entries * ENTRY > bat.length) throw failures.invalid('its block allocation table is too small for its size');
  const map: BlockMap = { offset: bat.offset, entryLength: ENTRY, size, blockSize, entryOf };
  const tables = cutMap(map);
  const reserved = [{ offset: 0, length: HEADER_SECTION }, log, bat, place];
  return {
    size,
    lead: 0,
    dataStart: HEADER_SECTION,
    failures,
    readTables: () => Promise.resolve(tables),
    parseTable: (table, guest) => parseMap(map, table, guest, (at) => dataAt(table, at, blockSize, reserved)),
  };
}

function dataAt(table: Buffer, at: number, blockSize: number, reserved: readonly Region[]): number | undefined {
  const low = table.readUInt32LE(at);
  const state = low & STATE;
  if (state !== FULLY_PRESENT) {
    if (!zeroStates.has(state)) throw failures.invalid(`a block is in state ${state}`);
    return undefined;
  }
  const host = table.readUInt32LE(at + 4) * TWO_32 + ((low & LOW_OFFSET) >>> 0);
  if (!Number.isSafeInteger(host)) throw failures.invalid('a block lies beyond any file');
  if (reserved.some(({ offset, length }) => host < offset + length && host + blockSize > offset)) {
    throw failures.invalid('a block lies in what is no data');
  }
  return host;
}
